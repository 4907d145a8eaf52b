"""Events: hints, never data."""

from dataclasses import dataclass
from datetime import UTC, datetime

from apps.billing.stripe_facts.raw import Raw, id_of


@dataclass(frozen=True)
class Event:
    """Something happened: a hint, never data."""

    id: str
    type: str
    object_id: str
    customer: str  # empty where the event names none
    livemode: bool
    api_version: str
    created: datetime
    payload: Raw


def read_event(raw: Raw) -> Event:
    """Read a snapshot event, or a thin one, which names its object and is known by its snapshot's id.

    Raises  KeyError, TypeError, AttributeError, ValueError: this is not an event.
    """
    if raw["object"] == "v2.core.event":
        related = raw.get("related_object") or {}
        key, kind, subject = raw.get("snapshot_event") or raw["id"], raw["type"].removeprefix("v1."), related
        created = datetime.fromisoformat(raw["created"].replace("Z", "+00:00"))
    elif raw["object"] == "event":
        key, kind, subject = raw["id"], raw["type"], raw["data"]["object"]
        created = datetime.fromtimestamp(raw["created"], UTC)
    else:
        raise ValueError("not an event")
    is_customer = "customer" in (subject.get("object"), subject.get("type"))
    customer = subject["id"] if is_customer else id_of(subject.get("customer"))
    return Event(
        id=str(key),
        type=str(kind),
        object_id=str(subject.get("id") or ""),
        customer=customer,
        livemode=bool(raw["livemode"]),
        api_version=raw.get("api_version") or "",
        created=created,
        payload=raw,
    )
