"""Pausing subscriptions over the API, and letting them go on."""

from apps.stripe_sandbox import clocks, pauses, store
from apps.stripe_sandbox.documents import Document
from apps.stripe_sandbox.operations import Operation
from apps.stripe_sandbox.parameters import fields, one_of

PAUSE = fields(
    {
        "bill_for": fields({"unused_time_from": fields({"type": one_of("none", "now")}, ("type",))}),
        "invoicing_behavior": one_of("pending_invoice_item"),
        "type": one_of("subscription"),
    }
)
RESUME = fields(
    {
        "billing_cycle_anchor": fields({"type": one_of("now", "unchanged")}, ("type",)),
        "payment_behavior": one_of("resume_on_payment_attempt", "resume_on_payment_success"),
        "proration_behavior": one_of("always_invoice", "create_prorations", "none"),
    }
)


def pause(key: str, params: Document) -> Document:
    """Stop a subscription where it is."""
    subscription = store.get("subscription", key)
    rest = params.get("bill_for", {}).get("unused_time_from", {}).get("type") == "now"
    now = clocks.time_on(subscription["test_clock"])
    return pauses.pause(subscription, pauses.REQUESTED, credits_rest=rest, now=now)


def resume(key: str, params: Document) -> Document:
    """Let it go on."""
    subscription = store.get("subscription", key)
    how = pauses.Return(
        starts_anew=params.get("billing_cycle_anchor", {"type": "now"})["type"] == "now",
        is_prorated=params.get("proration_behavior") != "none",
        waits_for_payment=params.get("payment_behavior") != "resume_on_payment_attempt",
    )
    return pauses.resume(subscription, how, now=clocks.time_on(subscription["test_clock"]))


OPERATIONS = [
    Operation("POST", "/v1/subscriptions/{}/pause", pause, PAUSE),
    Operation("POST", "/v1/subscriptions/{}/resume", resume, RESUME),
]
