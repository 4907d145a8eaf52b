"""Events: hints, never data."""

from collections.abc import Iterator
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
    mentions: frozenset[str]  # ids of what else it is about: the invoice, the payment, the subscription
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
    return Event(
        id=str(key),
        type=str(kind),
        object_id=str(subject.get("id") or ""),
        customer=str(_customer_of(raw, subject)),
        mentions=frozenset(filter(None, _mentioned(subject))),
        livemode=bool(raw["livemode"]),
        api_version=str(raw.get("api_version") or ""),
        created=created,
        payload=raw,
    )


def _customer_of(raw: Raw, subject: Raw) -> str:
    """Whom it is about. A card that was taken off names its customer only among what it was before."""
    if "customer" in (subject.get("object"), subject.get("type")):
        return str(subject["id"])
    before = raw["data"].get("previous_attributes") or {} if raw["object"] == "event" else {}
    return id_of(subject.get("customer")) or id_of(before.get("customer"))


def _mentioned(subject: Raw) -> Iterator[str]:
    yield str(subject.get("id") or "")
    for name in ("invoice", "payment_intent", "charge", "subscription"):
        yield id_of(subject.get(name))
    yield id_of((subject.get("payment") or {}).get("payment_intent"))
    yield id_of(((subject.get("parent") or {}).get("subscription_details") or {}).get("subscription"))
