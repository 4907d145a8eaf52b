"""`invoices/create_preview`: what a call may ask, and for whom the answer is worked out."""

from apps.stripe_sandbox import clocks, customers, discounts, items, previews, schedules, store
from apps.stripe_sandbox.documents import Document
from apps.stripe_sandbox.errors import invalid
from apps.stripe_sandbox.operations import Operation
from apps.stripe_sandbox.parameters import (
    ADDRESS,
    boolean,
    clearable,
    either,
    fields,
    free_map,
    list_of,
    natural,
    one_of,
    text,
    timestamp,
)
from apps.stripe_sandbox.resources.prices import currency
from apps.stripe_sandbox.resources.subscription_schedules import PHASE
from apps.stripe_sandbox.resources.subscriptions import CANCEL_AT, DISCOUNTS

PRORATION = one_of("always_invoice", "create_prorations", "none")
ITEM = fields({"deleted": boolean, "id": text, "metadata": free_map, "price": text, "quantity": natural})
DETAILS = fields(
    {
        "billing_cycle_anchor": fields({"type": one_of("now", "unchanged")}, ("type",)),
        "cancel_at": CANCEL_AT,
        "cancel_at_period_end": boolean,
        "cancel_now": boolean,
        "items": list_of(ITEM),
        "proration_behavior": PRORATION,
        "proration_date": timestamp,
        "trial_end": either(one_of("now"), timestamp, when=lambda raw: raw == "now"),
    }
)
CREATE = fields(
    {
        "automatic_tax": fields({"enabled": boolean}, ("enabled",)),
        "currency": currency,
        "customer": text,
        "customer_details": fields({"address": ADDRESS, "tax_exempt": clearable(one_of("exempt", "none", "reverse"))}),
        "discounts": DISCOUNTS,
        "preview_mode": one_of("next", "recurring"),
        "schedule": text,
        "schedule_details": fields(
            {
                "end_behavior": one_of("cancel", "release"),
                "phases": list_of(PHASE),
                "proration_behavior": PRORATION,
            }
        ),
        "subscription": text,
        "subscription_details": DETAILS,
    }
)


def preview(params: Document) -> Document:
    """Describe the invoice that a change, or the next renewal, would make; nothing is kept."""
    asked = {**params.get("subscription_details", {}), **params}
    subscription = _subscription(params)
    if subscription is None:
        return _preview_new(params, asked)
    customer = _customer(store.read("customer", subscription["customer"]), params)
    if params.get("customer", customer["id"]) != customer["id"]:
        raise invalid(f"No such subscription: '{subscription['id']}'", "subscription", "resource_missing")
    now = clocks.time_of_customer(customer)
    subscription = previews.taxed(subscription, params)
    if "discounts" in params:
        wanted = [items.Wanted(item["price"], item.get("quantity")) for item in subscription["items"]["data"]]
        held, basket = discounts.held_by(subscription), items.basket(wanted, customer)
        found = discounts.describe(params["discounts"] or [], basket, held, now=now)
        subscription = discounts.given(subscription, found)
    planned = params.get("schedule_details", {})
    if "phases" in planned:
        return previews.of_schedule(subscription, planned["phases"], planned, now=now)
    return previews.of_change(subscription, customer, asked, now=now)


def _subscription(params: Document) -> Document | None:
    if "subscription" in params:
        return store.get("subscription", params["subscription"], param="subscription", status=400)
    if "schedule" not in params:
        return None
    schedule = store.get(schedules.KIND, params["schedule"], param="schedule", status=400)
    if schedule["subscription"] is None:
        raise invalid(f"This schedule is {schedule['status']} and invoices nothing.", "schedule")
    return store.read("subscription", schedule["subscription"])


def _customer(customer: Document, params: Document) -> Document:
    """Give the customer with what the call supposes about them."""
    return {**customer, **{name: value for name, value in params.get("customer_details", {}).items() if value}}


def _preview_new(params: Document, asked: Document) -> Document:
    if "items" not in asked or not {"customer", "customer_details"} & params.keys():
        raise invalid("You must pass one of `subscription`, or `customer` with `subscription_details[items]`.")
    known = None
    if "customer" in params:
        known = store.get("customer", params["customer"], param="customer", status=400)
    now = clocks.time_of_customer(known)
    customer = _customer(known or customers.describe({}, now=now), params)
    return previews.of_new(customer, asked, now=now)


OPERATIONS = [Operation("POST", "/v1/invoices/create_preview", preview, CREATE)]
