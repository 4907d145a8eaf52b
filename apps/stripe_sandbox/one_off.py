"""Checkout without a subscription: a purchase that is paid once, or a card that is saved for later."""

from apps.stripe_sandbox import customers, ids, intents, invoicing, payment_methods, proration, store
from apps.stripe_sandbox.documents import Document
from apps.stripe_sandbox.errors import invalid

NO_INVOICE: Document = {
    "account_tax_ids": None,
    "custom_fields": None,
    "description": None,
    "footer": None,
    "issuer": None,
    "metadata": {},
    "rendering_options": None,
}


def total_of(session: Document) -> int:
    """Compute what a session costs, with the prices as they are at this moment; saving a card costs nothing.

    Raises  StripeError 400: a price that is archived, recurring, or in another currency; or too little to charge.
    """
    if session["mode"] == "setup":
        return 0
    total, used = 0, ""
    for number, item in enumerate(session["_line_items"]):
        price = _find_price(item["price"], f"line_items[{number}][price]")
        used = used or price["currency"]
        if price["currency"] != used:
            message = (
                f"The price specified only supports `{price['currency']}`. "
                f"This doesn't match the expected currency: `{used}`."
            )
            raise invalid(message, f"line_items[{number}][price]")
        total += price["unit_amount"] * item["quantity"]
    if total < proration.MINIMUM_CHARGE:
        least = f"{invoicing.format_amount(proration.MINIMUM_CHARGE, used)} {used}"
        message = f"The Checkout Session's total amount due must add up to at least {least}"
        raise invalid(message, code="amount_too_small")
    return total


def _find_price(key: str, param: str) -> Document:
    price = store.get("price", key, param=param, status=400)
    if not price["active"] and not price.get("_is_inline"):
        raise invalid("The price specified is inactive. This field only accepts active prices.", param)
    if price["recurring"]:
        raise invalid(
            "You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode or use "
            "only one-time prices.",
            param,
        )
    return price


def find_buyer(session: Document, details: Document, *, now: int) -> Document | None:
    """Find or make the customer; a purchase that nothing has to be kept for stays a guest's."""
    known = store.find("customer", session["customer"])
    if known or not _needs_customer(session):
        return known
    return customers.open_customer({"email": details["email"], "name": details["name"]}, now=now)


def _needs_customer(session: Document) -> bool:
    wants = (session["invoice_creation"] or {}).get("enabled") or session["_payment_data"].get("setup_future_usage")
    return bool(session["mode"] != "payment" or session["customer_creation"] == "always" or wants)


def open_intent(session: Document, customer: Document | None, *, now: int) -> Document:
    """Make the payment of a purchase, or the setup of a card."""
    data = session["_payment_data"]
    details: Document = {"metadata": data.get("metadata") or {}, "description": data.get("description")}
    if session["mode"] == "setup" and customer:
        return intents.open_setup_intent(customer, now=now, **details)
    details |= {name: data[name] for name in ("receipt_email", "setup_future_usage") if name in data}
    return intents.open_payment_intent(
        session["amount_total"], customer, currency=session["currency"], now=now, **details
    )


def settle(session: Document, intent: Document, method: Document, *, now: int) -> Document:
    """Keep what a paid session leaves; give the fields of the session that change."""
    if session["mode"] == "setup":
        customer = store.read("customer", session["customer"])
        payment_methods.attach(store.read("payment_method", method["id"]), customer)
        return {"payment_status": "no_payment_required", "setup_intent": intent["id"]}
    fields: Document = {"payment_status": "paid", "payment_intent": intent["id"]}
    if (session["invoice_creation"] or {}).get("enabled"):
        fields["invoice"] = _write_invoice(session, intent, now=now)["id"]
    return fields


def _write_invoice(session: Document, intent: Document, *, now: int) -> Document:
    """Write the paid invoice of a purchase: after the payment, and without the customer's balance."""
    customer, data = store.read("customer", session["customer"]), session["invoice_creation"]["invoice_data"]
    lines = [_line(item, now) for item in session["_line_items"]]
    draft = invoicing.build(customer, None, lines, "manual", now=now)
    draft |= {"description": data["description"], "footer": data["footer"], "metadata": data["metadata"]}
    opened = invoicing.finalize(invoicing.keep(draft, finalizes_at=None), intent=intent, now=now)
    return invoicing.mark_paid({**opened, "attempt_count": 1}, opened["amount_due"], now=now)


def _line(item: Document, now: int) -> Document:
    price, quantity = store.read("price", item["price"]), item["quantity"]
    plain = {"price": price, "quantity": quantity, "subscription": None, "id": None}
    amount = price["unit_amount"] * quantity
    line = invoicing.line(plain, amount, invoicing.name_of(price), (now, now), is_proration=False)
    details = {
        "invoice_item": ids.new("ii"),
        "proration": False,
        "proration_details": {"credited_items": None},
        "subscription": None,
    }
    parent = {"invoice_item_details": details, "subscription_item_details": None, "type": "invoice_item_details"}
    return {**line, "parent": parent}
