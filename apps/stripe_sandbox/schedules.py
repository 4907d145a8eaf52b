"""Subscription schedules: how one begins and stops managing a subscription. What its phases do is in `phases`."""

from apps.stripe_sandbox import events, ids, items, store
from apps.stripe_sandbox.documents import Document
from apps.stripe_sandbox.errors import invalid

KIND = "subscription_schedule"
ENDED = ("canceled", "incomplete_expired")


def open_for(subscription: Document, *, now: int) -> Document:
    """Let a schedule manage a running subscription: one phase, the period as it is.

    Raises  StripeError 400: another schedule does already, or the subscription has ended.
    """
    if subscription["schedule"]:
        raise invalid(
            f"You cannot migrate a subscription that is already attached to a schedule: `{subscription['schedule']}`.",
            "from_subscription",
        )
    if subscription["status"] in ENDED:
        message = f"You cannot create a subscription schedule from a subscription that is `{subscription['status']}`."
        raise invalid(message, "from_subscription")
    start, end = items.period_of(subscription)
    schedule: Document = {
        "id": ids.new("sub_sched"),
        "object": KIND,
        "application": None,
        "billing_mode": subscription["billing_mode"],
        "canceled_at": None,
        "completed_at": None,
        "created": now,
        "current_phase": {"end_date": end, "start_date": start},
        "customer": subscription["customer"],
        "default_settings": _settings(subscription),
        "end_behavior": "cancel" if subscription["cancel_at"] else "release",
        "livemode": False,
        "metadata": {},
        "pause_schedules": [],
        "phases": [phase_of(subscription)],
        "released_at": None,
        "released_subscription": None,
        "status": "active",
        "subscription": subscription["id"],
        "test_clock": subscription["test_clock"],
    }
    events.create("subscription_schedule.created", schedule)
    attached = {**subscription, "schedule": schedule["id"]}
    events.update("customer.subscription.updated", subscription, attached)
    return schedule


def _settings(subscription: Document) -> Document:
    return {
        "application_fee_percent": None,
        "automatic_tax": {**subscription["automatic_tax"]},
        "billing_cycle_anchor": "automatic",
        "billing_thresholds": None,
        "collection_method": "charge_automatically",
        "default_payment_method": subscription["default_payment_method"],
        "description": None,
        "invoice_settings": {"account_tax_ids": None, "days_until_due": None, "issuer": {"type": "self"}},
        "on_behalf_of": None,
        "transfer_data": None,
    }


def phase_of(subscription: Document) -> Document:
    """Describe the current period of a subscription as a phase."""
    start, end = items.period_of(subscription)
    wanted = [
        {"price": item["price"]["id"], "metadata": item["metadata"], **items.counted(item)}
        for item in subscription["items"]["data"]
    ]
    kept = [{"coupon": None, "discount": key, "promotion_code": None} for key in subscription["discounts"]]
    trial = {"trial_end": subscription["trial_end"]} if subscription["status"] == "trialing" else {}
    return phase(wanted, (start, end), subscription["currency"], discounts=kept, **trial)


def phase(wanted: list[Document], dates: tuple[int, int], currency: str, **more: object) -> Document:
    """Describe one phase: its items from one moment to another; `more` are Stripe's other fields."""
    return {
        "add_invoice_items": [],
        "application_fee_percent": None,
        "billing_cycle_anchor": None,
        "billing_thresholds": None,
        "collection_method": None,
        "currency": currency,
        "default_payment_method": None,
        "default_tax_rates": [],
        "description": None,
        "discounts": [],
        "end_date": dates[1],
        "invoice_settings": None,
        "items": [
            {"billing_thresholds": None, "discounts": [], "metadata": {}, "tax_rates": [], **each} for each in wanted
        ],
        "metadata": {},
        "on_behalf_of": None,
        "proration_behavior": "create_prorations",
        "start_date": dates[0],
        "transfer_data": None,
        "trial_end": None,
        **more,
    }


def find_for(subscription: Document) -> Document | None:
    """Find the schedule that manages a subscription."""
    return store.find(KIND, subscription["schedule"])


def require_none(subscription: Document, what: str) -> None:
    """Refuse to touch what a schedule decides: it must be released, or changed itself."""
    if subscription["schedule"]:
        raise invalid(
            f"The subscription is managed by the subscription schedule `{subscription['schedule']}`, and updating "
            f"any {what} directly is not allowed. Please update the schedule instead."
        )


def release(schedule: Document, *, keeps_end: bool = False, now: int) -> Document:
    """Let go of the subscription, which goes on as it is; a cancellation that the schedule set goes, unless kept."""
    subscription = store.read("subscription", schedule["subscription"])
    free = {**subscription, "schedule": None}
    if schedule["end_behavior"] == "cancel" and not keeps_end:
        free |= {"cancel_at": None, "cancel_at_period_end": False, "canceled_at": None}
    events.update("customer.subscription.updated", subscription, free)
    after = {**_ended(schedule, "released"), "released_at": now, "released_subscription": subscription["id"]}
    return events.update("subscription_schedule.released", schedule, {**after, "subscription": None})


def complete(schedule: Document, *, now: int) -> Document:
    """Close a schedule whose last phase is over and whose subscription ends with it."""
    after = {**_ended(schedule, "completed"), "completed_at": now}
    return events.update("subscription_schedule.completed", schedule, after)


def cancel(schedule: Document, *, now: int) -> Document:
    """Close a schedule because its subscription ended before its time."""
    after = {**_ended(schedule, "canceled"), "canceled_at": now}
    return events.update("subscription_schedule.canceled", schedule, after)


def _ended(schedule: Document, status: str) -> Document:
    return {**schedule, "current_phase": None, "status": status}
