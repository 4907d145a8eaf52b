"""What a Checkout session sells as a subscription, and what that costs today and later."""

from dataclasses import dataclass

from apps.stripe_sandbox import customers, discounts, invoicing, items, metered, one_off, store, subscribing
from apps.stripe_sandbox.documents import Document, list_of, public
from apps.stripe_sandbox.subscribing import Order

DAY_S = 86400


@dataclass(frozen=True)
class Amounts:
    """What a session costs, in minor units: the sums of today's invoice, what is due of it, and each later period."""

    subtotal: int
    discount: int
    tax: int
    total: int
    due_today: int
    trial_end: int | None = None
    later: int = 0

    @property
    def credit(self) -> int:
        """What the customer's balance changes about today's total."""
        return self.due_today - self.total


def order_of(session: Document, customer: Document | None, *, now: int) -> Order:
    """Read what is to be bought, with prices and discounts as they are at this moment."""
    data = session["_subscription_data"]
    wanted = items.read_wanted(session["_line_items"], customer, path="line_items")
    trial_days, trial_end = data.get("trial_period_days"), data.get("trial_end")
    details: Document = {"metadata": data.get("metadata") or {}}
    if "description" in data:
        details["description"] = data["description"]
    if "trial_settings" in data:
        ending = {"billing_cycle_anchor": None, **data["trial_settings"]["end_behavior"]}
        details["trial_settings"] = {"end_behavior": ending}
    if session["_taxes"]:
        details["automatic_tax"] = {"disabled_reason": None, "enabled": True, "liability": {"type": "self"}}
    return Order(
        wanted,
        trial_end=now + trial_days * DAY_S if trial_days else trial_end,
        details=details,
        discounts=discounts.describe(session["_discounts"], items.basket(wanted, customer), now=now),
    )


def amounts_of(session: Document, customer: Document | None, *, now: int) -> Amounts:
    """Compute what a session costs."""
    if session["mode"] != "subscription":
        total = one_off.total_of(session)
        return Amounts(total, 0, 0, total, total)
    buyer = with_address(session, customer)
    order = order_of(session, customer, now=now)
    subscription = subscribing.describe(buyer, order, now=now)
    today = subscribing.first_invoice(buyer, subscription, now=now)
    later = _next(buyer, subscription, today)
    off, tax = (sum(each["amount"] for each in today[name]) for name in ("total_discount_amounts", "total_taxes"))
    sums = {name: today[name] for name in ("subtotal", "total")}
    return Amounts(**sums, discount=off, tax=tax, due_today=today["amount_due"], trial_end=order.trial_end, later=later)


def _next(buyer: Document, subscription: Document, today: Document) -> int:
    """Compute the invoice that follows today's: after the trial, or the first renewal."""
    end = items.period_of(subscription)[1]
    used = {each["discount"] for each in today["total_discount_amounts"] if each["amount"]}
    lasting = {each.discount for each in discounts.reductions(subscription, now=end, lasting=True)}
    held = [each for each in discounts.held_by(subscription) if each["id"] in lasting or each["id"] not in used]
    lines = [invoicing.regular_line(item, end, end) for item in subscription["items"]["data"]]
    invoice = invoicing.build(buyer, discounts.given(subscription, held), lines, "subscription_cycle", now=end)
    return int(invoice["total"])


def with_address(session: Document, customer: Document | None) -> Document:
    """Give the buyer as the form makes them: a new one, or one whose address or name it may change."""
    buyer = customer or {**customers.describe({"email": session["customer_email"]}, now=0), "id": None}
    details, may, is_new = session.get("_details"), session["_customer_update"], not session["_had_customer"]
    if is_new or may.get("address") == "auto":
        address = details["address"] if details else buyer["address"] or {"country": "FR"}
        buyer = {**buyer, "address": address}
    if details and (is_new or may.get("name") == "auto"):
        buyer = {**buyer, "name": details["name"]}
    return buyer


def sums_of(amounts: Amounts) -> Document:
    """Write amounts as a session carries them."""
    return {
        "amount_subtotal": amounts.subtotal,
        "amount_total": amounts.total,
        "total_details": {"amount_discount": amounts.discount, "amount_shipping": 0, "amount_tax": amounts.tax},
    }


def line_items(session: Document, *, now: int) -> Document:
    """List what a session sells: each line for a whole period, with its share of discounts and tax."""
    shares = _shares(session, now) if session["mode"] == "subscription" and session["status"] == "open" else None
    shares = shares or session.get("_shares") or {}
    data = [_item(raw, shares.get(raw["id"], [0, 0])) for raw in session["_line_items"]]
    return list_of(data, f"/v1/checkout/sessions/{session['id']}/line_items")


def _item(raw: Document, share: list[int]) -> Document:
    price, (off, tax) = store.read("price", raw["price"]), share
    quantity = raw.get("quantity", None if metered.is_metered(price) else 1)
    amount = metered.fixed_amount(price, quantity)
    return {
        "id": raw["id"],
        "object": "item",
        "adjustable_quantity": None,
        "amount_discount": off,
        "amount_subtotal": amount,
        "amount_tax": tax,
        "amount_total": amount - off + tax,
        "currency": price["currency"],
        "description": invoicing.name_of(price),
        "metadata": {},
        "price": public(price),
        "quantity": quantity,
    }


def _shares(session: Document, now: int) -> dict[str, list[int]]:
    """Say what discounts take off each line and what tax adds to it, by the line's id."""
    customer = store.find("customer", session["customer"])
    buyer = with_address(session, customer)
    order = order_of(session, customer, now=now)
    subscription = subscribing.describe(buyer, order, now=now)
    lines = [invoicing.regular_line(item, now, now) for item in subscription["items"]["data"]]
    laid = invoicing.build(buyer, subscription, lines, "subscription_create", now=now)["lines"]["data"]
    return {
        raw["id"]: [sum(each["amount"] for each in line[name]) for name in ("discount_amounts", "taxes")]
        for raw, line in zip(session["_line_items"], laid, strict=True)
    }
