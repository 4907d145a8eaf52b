"""What is due next: pure, from documents alone."""

from collections.abc import Iterable
from dataclasses import dataclass

from apps.stripe_sandbox.documents import Document

TRIAL_WARNING_S = 3 * 86400
INCOMPLETE_S = 23 * 3600
LIVE = ("active", "past_due", "unpaid", "trialing")
# At one and the same moment, in this order.
ORDER = (
    "expire_session",
    "expire_update",
    "expire_incomplete",
    "finalize",
    "retry",
    "warn_of_trial",
    "resume_collection",
    "phase",
    "cancel",
    "cycle",
)


@dataclass(frozen=True)
class Moment:
    """One piece of work: when (seconds since 1970), what, and for which object."""

    at: int
    kind: str
    document: Document

    @property
    def rank(self) -> tuple[int, int]:
        return self.at, ORDER.index(self.kind)


def first(documents: Iterable[Document]) -> Moment | None:
    """Give the earliest work among these documents."""
    return min((moment for each in documents for moment in all_of(each)), key=lambda moment: moment.rank, default=None)


def earliest(document: Document) -> int | None:
    """Say when the first work on a document is due; nothing where it announces none."""
    return min((moment.at for moment in all_of(document)), default=None)


def all_of(document: Document) -> list[Moment]:
    """Give all work that a document announces."""
    kinds = {
        "checkout.session": _of_session,
        "invoice": _of_invoice,
        "subscription": _of_subscription,
        "subscription_schedule": _of_schedule,
    }
    found = kinds[document["object"]](document) if document["object"] in kinds else []
    return [Moment(at, kind, document) for at, kind in found]


def _of_subscription(subscription: Document) -> list[tuple[int, str]]:
    status, found = subscription["status"], []
    if status == "incomplete":
        return [(subscription["created"] + INCOMPLETE_S, "expire_incomplete")]
    if status not in LIVE:
        return []
    if status == "trialing" and not subscription.get("_was_warned"):
        found.append((subscription["trial_end"] - TRIAL_WARNING_S, "warn_of_trial"))
    if subscription["cancel_at"]:
        found.append((subscription["cancel_at"], "cancel"))
    pause = subscription["pause_collection"]
    if pause and pause["resumes_at"]:
        found.append((pause["resumes_at"], "resume_collection"))
    if subscription["pending_update"]:
        found.append((subscription["pending_update"]["expires_at"], "expire_update"))
    found.append((min(item["current_period_end"] for item in subscription["items"]["data"]), "cycle"))
    return found


def _of_invoice(invoice: Document) -> list[tuple[int, str]]:
    if invoice["status"] == "draft" and invoice["automatically_finalizes_at"]:
        return [(invoice["automatically_finalizes_at"], "finalize")]
    if invoice["status"] == "open" and invoice["next_payment_attempt"]:
        return [(invoice["next_payment_attempt"], "retry")]
    return []


def _of_session(session: Document) -> list[tuple[int, str]]:
    return [(session["expires_at"], "expire_session")] if session["status"] == "open" else []


def _of_schedule(schedule: Document) -> list[tuple[int, str]]:
    return [(schedule["current_phase"]["end_date"], "phase")] if schedule["status"] == "active" else []
