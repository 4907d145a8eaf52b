"""Subscription schedules over the API: what a subscription will be, phase by phase."""

from apps.stripe_sandbox import clocks, endings, events, lists, phases, schedules, store
from apps.stripe_sandbox.documents import Document
from apps.stripe_sandbox.errors import invalid
from apps.stripe_sandbox.operations import NOTHING, Operation
from apps.stripe_sandbox.parameters import (
    PAGING,
    RANGE,
    Reader,
    boolean,
    clearable,
    either,
    fields,
    free_map,
    list_of,
    merge_metadata,
    natural,
    one_of,
    text,
    timestamp,
)

PRORATION = one_of("always_invoice", "create_prorations", "none")


def or_now(inner: Reader) -> Reader:
    """Read the word `now`, or a moment."""
    return either(one_of("now"), inner, when=lambda raw: raw == "now")


PHASE = fields(
    {
        "description": clearable(text),
        "discounts": clearable(list_of(fields({"coupon": text, "discount": text, "promotion_code": text}))),
        "duration": fields(
            {"interval": one_of("day", "month", "week", "year"), "interval_count": natural}, ("interval",)
        ),
        "end_date": or_now(timestamp),
        "items": list_of(fields({"metadata": free_map, "price": text, "quantity": natural}, ("price",))),
        "metadata": free_map,
        "proration_behavior": PRORATION,
        "start_date": or_now(timestamp),
    },
    ("items",),
)
UPDATE = fields(
    {
        "end_behavior": one_of("cancel", "release"),
        "metadata": free_map,
        "phases": list_of(PHASE),
        "proration_behavior": PRORATION,
    }
)


def create(params: Document) -> Document:
    """Take over a running subscription."""
    key = params["from_subscription"]
    subscription = store.get("subscription", key, param="from_subscription", status=400)
    return schedules.open_for(subscription, now=clocks.time_on(subscription["test_clock"]))


def retrieve(key: str, params: Document) -> Document:
    """Give one schedule."""
    return store.get(schedules.KIND, key, param="schedule")


def update(key: str, params: Document) -> Document:
    """Change what comes: the phases that are not over, and what follows the last one."""
    before = _running(key, "update")
    now = clocks.time_on(before["test_clock"])
    after = {**before, "metadata": merge_metadata(before["metadata"], params.get("metadata"))}
    after["end_behavior"] = params.get("end_behavior", before["end_behavior"])
    events.update("subscription_schedule.updated", before, after)
    if "phases" in params:
        behavior = params.get("proration_behavior", "create_prorations")
        after = phases.rewrite(after, params["phases"], behavior, now=now)
    phases.mark_end(after, now=now)
    return after


def release(key: str, params: Document) -> Document:
    """Let the subscription go on without the schedule."""
    schedule = _running(key, "release")
    keeps_end = params.get("preserve_cancel_date", False)
    return schedules.release(schedule, keeps_end=keeps_end, now=clocks.time_on(schedule["test_clock"]))


def cancel(key: str, params: Document) -> Document:
    """End the schedule and its subscription at once."""
    schedule = _running(key, "cancel")
    subscription = store.read("subscription", schedule["subscription"])
    endings.cancel(
        subscription,
        "cancellation_requested",
        invoice_now=params.get("invoice_now", True),
        prorate=params.get("prorate", True),
        now=clocks.time_on(schedule["test_clock"]),
    )
    return store.read(schedules.KIND, key)


def _running(key: str, verb: str) -> Document:
    schedule = store.get(schedules.KIND, key, param="schedule")
    if schedule["status"] != "active":
        raise invalid(
            f"You cannot {verb} a subscription schedule that is currently in the `{schedule['status']}` status."
        )
    return schedule


def list_all(params: Document) -> Document:
    """List schedules."""
    rows = store.select(schedules.KIND, customer=params.get("customer"))
    return lists.page(rows, params, "/v1/subscription_schedules", kind=schedules.KIND)


OPERATIONS = [
    Operation(
        "POST",
        "/v1/subscription_schedules",
        create,
        fields({"from_subscription": text}, ("from_subscription",)),
    ),
    Operation("GET", "/v1/subscription_schedules", list_all, fields({**PAGING, "created": RANGE, "customer": text})),
    Operation("GET", "/v1/subscription_schedules/{}", retrieve, NOTHING),
    Operation("POST", "/v1/subscription_schedules/{}", update, UPDATE),
    Operation("POST", "/v1/subscription_schedules/{}/release", release, fields({"preserve_cancel_date": boolean})),
    Operation(
        "POST", "/v1/subscription_schedules/{}/cancel", cancel, fields({"invoice_now": boolean, "prorate": boolean})
    ),
]
