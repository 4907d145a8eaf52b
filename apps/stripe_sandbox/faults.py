"""What can be made to go wrong on purpose; each armed fault says how often, and for what."""

from django.db.models import F

from apps.stripe_sandbox.documents import Document
from apps.stripe_sandbox.models import Fault

KINDS = (
    "http_429",
    "http_500",
    "http_409_lock",
    "timeout_before",
    "timeout_after",
    "slow",
    "webhook_drop",
    "webhook_duplicate",
    "webhook_delay",
    "webhook_reorder",
    "webhook_stale",
    "webhook_signature",
    "webhook_clock",
    "webhook_version",
    "webhook_livemode",
    "decline_next",
    "dashboard",
    "meter_lag",
    "clock_lag",
    "clock_failure",
)


# Kinds that were armed since the start. Each call and each event asks for many kinds: most ask the database nothing.
known: set[str] = set()


def arm(kind: str, count: int, match: str, params: Document) -> Fault:
    """Make the next `count` matching calls, events or charges go wrong.

    match  part of “POST /v1/…”, of an event type or of a customer's id; empty: any.
    """
    if kind == "dashboard":
        params = {"when": "before", **params}
    known.add(kind)
    return Fault.objects.create(kind=kind, left=count, match=match, params=params)


def armed() -> list[Fault]:
    """List what is still armed."""
    return list(Fault.objects.filter(left__gt=0).order_by("id"))


def take(kind: str, *subjects: str | None, **wanted: str) -> Fault | None:
    """Use up one armed fault of this kind that matches one of the subjects, or say that there is none.

    wanted  what its parameters must say as well.
    """
    if kind not in known:
        return None
    for fault in Fault.objects.filter(kind=kind, left__gt=0).order_by("id"):
        fits = not fault.match or any(subject and fault.match in subject for subject in subjects)
        fits = fits and all(fault.params.get(name) == value for name, value in wanted.items())
        if fits and Fault.objects.filter(id=fault.id, left__gt=0).update(left=F("left") - 1):
            return fault
    return None


def meter_lag_s(*subjects: str | None) -> int:
    """Say by how many seconds a summary of usage trails what was reported; the subjects are meter and customer."""
    fault = take("meter_lag", *subjects)
    return int(fault.params.get("seconds", 60)) if fault else 0


def recall() -> None:
    """Learn at start which faults an earlier run left armed."""
    known.update(fault.kind for fault in armed())


def disarm(number: int | None = None) -> None:
    """Forget all faults, or one."""
    (Fault.objects.all() if number is None else Fault.objects.filter(id=number)).delete()
