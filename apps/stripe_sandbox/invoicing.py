"""Invoices: their lines and totals, from draft to open to paid, void or uncollectible."""

from decimal import Decimal
from fractions import Fraction

from apps.stripe_sandbox import (
    addresses,
    blanks,
    clock,
    discounts,
    events,
    ids,
    intents,
    metered,
    proration,
    store,
    taxes,
    totals,
)
from apps.stripe_sandbox.documents import Document, list_of

SYMBOLS = {"usd": "$", "eur": "€", "gbp": "£"}
HOUR_S = 3600


def format_amount(amount: int, currency: str) -> str:
    """Write an amount of minor units for people: `$8.00`."""
    sign = "-" if amount < 0 else ""
    return f"{sign}{SYMBOLS.get(currency, currency.upper() + ' ')}{abs(amount) // 100}.{abs(amount) % 100:02}"


def format_rate(amount: str, currency: str) -> str:
    """Write what one unit costs, given in minor units that may be fractions: `$0.0005`."""
    whole = Decimal(amount) / 100
    places = max(2, -int(whole.normalize().as_tuple().exponent))
    return f"{SYMBOLS.get(currency, currency.upper() + ' ')}{whole:.{places}f}"


def name_of(price: Document) -> str:
    """Give the name of a price's product."""
    return str(store.read("product", price["product"])["name"])


def regular_line(item: Document, start: int, end: int, *, is_trial: bool = False) -> Document:
    """Write the line for one whole period of an item; during a trial it costs nothing."""
    price, quantity = item["price"], item.get("quantity", 1)
    amount = 0 if is_trial else metered.fixed_amount(price, quantity)
    at = f"{format_rate(price['unit_amount_decimal'], price['currency'])} / {price['recurring']['interval']}"
    text = f"Trial period for {name_of(price)}" if is_trial else f"{quantity} × {name_of(price)} (at {at})"
    return line(item, amount, text, (start, end), is_proration=False)


def proration_line(item: Document, whole: int, left: Fraction, period: tuple[int, int], *, is_credit: bool) -> Document:
    """Write the credit for an old item or the debit for a new one, for what is left of the period.

    whole  what the item costs for a whole period, after discounts.
    """
    price, quantity = item["price"], item.get("quantity", 1)
    amount = proration.credit(whole, left) if is_credit else proration.debit(whole, left)
    name = name_of(price) if quantity == 1 else f"{quantity} × {name_of(price)}"
    day = clock.as_date(period[0])
    words = "Unused time on" if is_credit else "Remaining time on"
    return line(item, amount, f"{words} {name} after {day.day} {day:%b %Y}", period, is_proration=True)


def line(item: Document, amount: int, text: str, period: tuple[int, int], *, is_proration: bool) -> Document:
    """Write one line of an invoice for a subscription item."""
    price = item["price"]
    return {
        "id": ids.new("il"),
        "object": "line_item",
        "amount": amount,
        "currency": price["currency"],
        "description": text,
        "discount_amounts": [],
        "discountable": not is_proration,
        "discounts": [],
        "invoice": None,
        "livemode": False,
        "metadata": {},
        "parent": {
            "invoice_item_details": None,
            "subscription_item_details": {
                "invoice_item": None,
                "proration": is_proration,
                "proration_details": {"credited_items": None} if is_proration else None,
                "subscription": item["subscription"],
                "subscription_item": item["id"],
            },
            "type": "subscription_item_details",
        },
        "period": {"start": period[0], "end": period[1]},
        "pretax_credit_amounts": [],
        "pricing": {
            "price_details": {"price": price["id"], "product": price["product"]},
            "type": "price_details",
            "unit_amount_decimal": price["unit_amount_decimal"],
        },
        "quantity": item.get("quantity", 1),
        "subscription": item["subscription"],
        "subtotal": amount,
        "taxes": [],
    }


def build(
    customer: Document, subscription: Document | None, lines: list[Document], reason: str, *, now: int
) -> Document:
    """Describe a draft invoice that is not kept yet; `create_preview` shows it as it is.

    subscription  None for a purchase that was paid already: its invoice leaves the customer's balance alone.
    """
    key = ids.new("in")
    balance = customer["balance"] if subscription else 0
    reductions = discounts.reductions(subscription, now=now) if subscription else []
    taxed = bool(subscription and subscription["automatic_tax"]["enabled"])
    sums = totals.lay_out(lines, reductions, taxes.rate_for(customer) if taxed else None)
    due = proration.settle(sums["total"], balance).amount_due
    begin = min((each["period"]["start"] for each in lines), default=now)
    return {
        **blanks.fresh(blanks.INVOICE),
        **sums,
        "id": key,
        "created": now,
        "amount_due": due,
        "amount_remaining": due,
        "automatic_tax": taxes.settings(is_enabled=taxed, customer=customer),
        "billing_reason": reason,
        "currency": subscription["currency"] if subscription else lines[0]["currency"],
        "customer": customer["id"],
        "customer_address": customer["address"],
        "customer_email": customer["email"],
        "customer_name": customer["name"],
        "customer_tax_exempt": customer["tax_exempt"],
        "customer_tax_ids": customer.get("_tax_ids", []),
        "lines": list_of([{**each, "invoice": key} for each in sums["lines"]], f"/v1/invoices/{key}/lines"),
        "parent": _parent(subscription) if subscription else None,
        "period_end": now,
        "period_start": subscription["_last_start"] if subscription and reason == "subscription_cycle" else begin,
        "starting_balance": balance,
        "test_clock": customer.get("test_clock"),
        "_reductions": [[each.discount, each.coupon["id"]] for each in reductions],
    }


def _parent(subscription: Document) -> Document:
    details = {"metadata": subscription["metadata"], "subscription": subscription["id"]}
    return {"quote_details": None, "subscription_details": details, "type": "subscription_details"}


def keep(invoice: Document, *, finalizes_at: int | None) -> Document:
    """Keep a draft; with a moment to finalise it by itself, or without when it is finalised at once."""
    return events.create("invoice.created", {**invoice, "automatically_finalizes_at": finalizes_at})


def finalize(invoice: Document, *, intent: Document | None = None, now: int) -> Document:
    """Open a draft: number it, lay it on the customer's balance, and make the payment for what is due.

    intent  a payment that was made for it beforehand, as Checkout does; otherwise one is opened.
    Raises  StripeError 400: tax is to be computed, and nobody knows where the customer lives.
    """
    customer = store.read("customer", invoice["customer"])
    invoice = _taxed(invoice, customer)
    settlement = proration.settle(invoice["total"], customer["balance"] if invoice["parent"] else 0)
    after = {
        **invoice,
        "amount_due": settlement.amount_due,
        "amount_remaining": settlement.amount_due,
        "automatically_finalizes_at": None,
        "effective_at": now,
        "last_finalization_error": None,
        "ending_balance": settlement.ending_balance,
        "hosted_invoice_url": addresses.page(f"/i/{invoice['id']}"),
        "invoice_pdf": addresses.page(f"/i/{invoice['id']}/receipt"),
        "number": f"{customer['invoice_prefix']}-{customer['next_invoice_sequence']:04}",
        "starting_balance": settlement.starting_balance,
        "status": "open",
        "status_transitions": {**invoice["status_transitions"], "finalized_at": now},
    }
    changed = {**customer, "balance": settlement.ending_balance} if invoice["parent"] else {**customer}
    changed["next_invoice_sequence"] += 1
    events.update("customer.updated", customer, changed)
    if settlement.amount_due and intent is None:
        intent = intents.open_payment_intent(
            settlement.amount_due,
            customer,
            currency=invoice["currency"],
            description="Subscription",
            setup_future_usage="off_session",
            now=now,
        )
    if settlement.amount_due and intent:
        open_payment(after, intent, now=now)
    store.save(after)
    events.emit("invoice.finalized", after)
    return after


def _taxed(invoice: Document, customer: Document) -> Document:
    """Compute the tax of a draft that waited for its customer's address."""
    if invoice["automatic_tax"]["status"] != "requires_location_inputs":
        return invoice
    if not taxes.has_location(customer):
        raise taxes.unknown_location()
    return {
        **relaid(invoice, invoice["lines"]["data"]),
        "automatic_tax": taxes.settings(is_enabled=True, customer=customer),
        "customer_address": customer["address"],
    }


def relaid(invoice: Document, lines: list[Document]) -> Document:
    """Give a draft with other lines and the sums that follow from them: discounts, tax, what is due."""
    customer = store.read("customer", invoice["customer"])
    reductions = [totals.Reduction(key, store.read("coupon", coupon)) for key, coupon in invoice["_reductions"]]
    sums = totals.lay_out(lines, reductions, taxes.rate_for(customer) if invoice["automatic_tax"]["enabled"] else None)
    due = proration.settle(sums["total"], customer["balance"] if invoice["parent"] else 0).amount_due
    laid = {**invoice["lines"], "data": sums.pop("lines")}
    return {**invoice, **sums, "amount_due": due, "amount_remaining": due, "lines": laid}


def fail_finalization(invoice: Document) -> Document:
    """Write down that a draft could not be finalised by itself: it waits until somebody does it again."""
    error = taxes.unknown_location().error
    after = {**invoice, "automatically_finalizes_at": None, "last_finalization_error": error}
    store.save(after)
    events.emit("invoice.finalization_failed", after)
    return after


def open_payment(invoice: Document, intent: Document, *, now: int) -> Document:
    """Tie a payment intent to an invoice."""
    store.save({**intent, "_invoice": invoice["id"]})
    return store.insert(
        {
            "id": ids.new("inpay"),
            "object": "invoice_payment",
            "amount_paid": None,
            "amount_requested": invoice["amount_due"],
            "created": now,
            "currency": invoice["currency"],
            "invoice": invoice["id"],
            "is_default": True,
            "livemode": False,
            "payment": {"payment_intent": intent["id"], "type": "payment_intent"},
            "status": "open",
            "status_transitions": {"canceled_at": None, "paid_at": None},
            "_clock": invoice["test_clock"],
        }
    )


def payment_of(invoice: Document) -> Document | None:
    """Find the payment of an invoice."""
    rows = store.documents(store.select("invoice_payment", body__invoice=invoice["id"])[:1])
    return rows[0] if rows else None


def intent_of(invoice: Document) -> Document | None:
    """Find the payment intent of an invoice."""
    payment = payment_of(invoice)
    return store.read("payment_intent", payment["payment"]["payment_intent"]) if payment else None


def mark_paid(invoice: Document, amount: int, *, now: int) -> Document:
    """Close an invoice as paid, by money or without any (`amount` is 0)."""
    after = {
        **invoice,
        "amount_paid": amount,
        "amount_remaining": 0,
        "attempted": True,
        "auto_advance": False,
        "next_payment_attempt": None,
        "status": "paid",
        "status_transitions": {**invoice["status_transitions"], "paid_at": now},
    }
    payment = payment_of(invoice)
    if payment and payment["status"] == "open":
        moved = {**payment["status_transitions"], "paid_at": now}
        paid = {**payment, "status": "paid", "amount_paid": amount, "status_transitions": moved}
        store.save(paid)
        events.emit("invoice_payment.paid", paid)
    store.save(after)
    if amount:
        events.emit("invoice.payment_succeeded", after)
    events.emit("invoice.paid", after)
    return after


def close(invoice: Document, status: str, *, now: int) -> Document:
    """Void an invoice, or give it up as uncollectible; its payment is cancelled."""
    stamp = "voided_at" if status == "void" else "marked_uncollectible_at"
    moved = {**invoice["status_transitions"], stamp: now}
    after = {**invoice, "status": status, "auto_advance": False, "next_payment_attempt": None}
    after["status_transitions"] = moved
    if status == "void":
        cancel_payment(invoice, now=now)
    store.save(after)
    events.emit("invoice.voided" if status == "void" else "invoice.marked_uncollectible", after)
    return after


def cancel_payment(invoice: Document, *, now: int) -> None:
    """Give up the payment of an invoice: nothing is to be charged for it any more."""
    payment, intent = payment_of(invoice), intent_of(invoice)
    if payment and intent and payment["status"] == "open":
        gone = {**payment["status_transitions"], "canceled_at": now}
        store.save({**payment, "status": "canceled", "status_transitions": gone})
        intents.cancel(intent, "void_invoice", now=now)
