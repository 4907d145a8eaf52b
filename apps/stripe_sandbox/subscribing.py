"""How a subscription begins: with a trial, paid at once, or incomplete until it is paid."""

from dataclasses import dataclass, field

from apps.stripe_sandbox import (
    blanks,
    collection,
    discounts,
    events,
    ids,
    invoicing,
    items,
    metered,
    payment_methods,
    periods,
    store,
    trials,
)
from apps.stripe_sandbox.cards import Verdict
from apps.stripe_sandbox.documents import Document, list_of
from apps.stripe_sandbox.errors import invalid
from apps.stripe_sandbox.items import Wanted

NO_CARD = (
    "This customer has no attached payment source or default payment method. Please consider adding a default "
    "payment method. For more information, visit "
    "https://stripe.com/docs/billing/subscriptions/payment-methods-setting#payment-method-priority."
)


@dataclass(frozen=True)
class Order:
    """What a new subscription should be; `details` are fields that are taken over as they are."""

    wanted: list[Wanted]
    trial_end: int | None = None
    anchor: int | None = None  # when its first period ends, and all later ones; None: a whole period from now
    payment_behavior: str = "allow_incomplete"
    is_off_session: bool = False
    details: Document = field(default_factory=dict)
    discounts: list[Document] = field(default_factory=list)


def open_subscription(customer: Document, order: Order, *, paid_by: Document | None = None, now: int) -> Document:
    """Begin a subscription and its first invoice.

    paid_by  a payment intent that already succeeded for it, as Checkout has it.
    Raises   StripeError 400: nobody to charge; 402: `error_if_incomplete`, and then nothing is kept.
    """
    subscription = describe(customer, order, now=now)
    invoice = first_invoice(customer, subscription, now=now)
    subscription["latest_invoice"] = invoice["id"]
    waits = order.payment_behavior == "default_incomplete"
    if invoice["amount_due"] and not (paid_by or waits) and payment_methods.choose(customer, subscription) is None:
        raise invalid(NO_CARD, code="resource_missing")
    if customer["currency"] is None:
        events.update("customer.updated", customer, {**customer, "currency": subscription["currency"]})
    subscription = items.with_debits(subscription, invoice)
    events.create("customer.subscription.created", subscription)
    discounts.keep(subscription)
    events.update("customer.subscription.updated", subscription, discounts.spend(subscription, invoice, now=now))
    invoice = invoicing.finalize(invoicing.keep(invoice, finalizes_at=None), intent=paid_by, now=now)
    _settle(invoice, order, is_paid=paid_by is not None, waits=waits, now=now)
    trials.warn_if_near(subscription, now=now)
    return store.read("subscription", subscription["id"])


def _settle(invoice: Document, order: Order, *, is_paid: bool, waits: bool, now: int) -> None:
    if is_paid or invoice["amount_due"] == 0:
        collection.finish(invoice, amount=invoice["amount_due"], now=now)
        return
    if waits:
        return
    collected = collection.collect(invoice, on_session=not order.is_off_session, now=now)
    if collected.verdict is not Verdict.SUCCEEDED and order.payment_behavior == "error_if_incomplete":
        raise collected.as_error(keeps_rows=False)


def first_invoice(customer: Document, subscription: Document, *, now: int) -> Document:
    """Describe the first invoice: the whole first period, or a trial over nothing."""
    period, is_trial = items.period_of(subscription), subscription["status"] == "trialing"
    paid_first = metered.licensed(subscription["items"]["data"])
    lines = [invoicing.regular_line(item, *period, is_trial=is_trial) for item in paid_first]
    return invoicing.build(customer, subscription, lines, "subscription_create", now=now)


def describe(customer: Document, order: Order, *, now: int) -> Document:
    """Describe a subscription that is not kept yet."""
    key = ids.new("sub")
    if not order.wanted or order.wanted[0].price is None:
        raise invalid("Missing required param: items.", "items", "parameter_missing")
    price = order.wanted[0].price
    whole = periods.step(now, *items.rhythm(price)[:1], items.rhythm(price)[1])
    _require_anchor(order, whole, now=now)
    anchor = order.trial_end or order.anchor or now
    end = order.trial_end or order.anchor or whole
    data = [items.build(each, key, (now, end), now=now) for each in order.wanted]
    items.require_one_rhythm(data)
    described = {
        **blanks.fresh(blanks.SUBSCRIPTION),
        "id": key,
        "created": now,
        "start_date": now,
        "_last_start": now,
        "billing_cycle_anchor": anchor,
        "currency": price["currency"],
        "customer": customer["id"],
        "items": list_of(data, f"/v1/subscription_items?subscription={key}"),
        "status": "trialing" if order.trial_end else "incomplete",
        "test_clock": customer.get("test_clock"),
        "trial_end": order.trial_end,
        "trial_start": now if order.trial_end else None,
        **order.details,
    }
    return discounts.given(described, order.discounts)


def _require_anchor(order: Order, whole: int, *, now: int) -> None:
    """Take a billing cycle's anchor within the first period, and for usage only: what is paid beforehand needs a share.

    Raises  StripeError 400.
    """
    if order.anchor is None:
        return
    if order.anchor <= now:
        raise invalid("billing_cycle_anchor must be in the future.", "billing_cycle_anchor")
    if order.anchor > whole:
        message = f"billing_cycle_anchor cannot be later than next natural billing date ({whole}) for plan"
        raise invalid(message, "billing_cycle_anchor")
    if not all(each.price and metered.is_metered(each.price) for each in order.wanted):
        raise invalid("The sandbox takes a billing_cycle_anchor for metered prices only.", "billing_cycle_anchor")
