"""Hosted Checkout: a session is paid with a card, and becomes a subscription, in one transaction."""

from dataclasses import dataclass

from apps.stripe_sandbox import (
    addresses,
    discounts,
    events,
    ids,
    intents,
    one_off,
    orders,
    payment_methods,
    store,
    subscribing,
    tax_ids,
)
from apps.stripe_sandbox.cards import Card, Verdict
from apps.stripe_sandbox.documents import Document
from apps.stripe_sandbox.errors import invalid


@dataclass(frozen=True)
class Payment:
    """What a person typed: the test card with its expiry, where one is needed, and their details."""

    card: Card | None
    exp_month: int
    exp_year: int
    email: str
    name: str
    country: str
    postal_code: str
    tax_id: str = ""

    def billing_details(self) -> Document:
        """Describe the person as a payment method does."""
        address = {
            **payment_methods.NOBODY["address"],
            "country": self.country,
            "postal_code": self.postal_code or None,
        }
        return {**payment_methods.NOBODY, "address": address, "email": self.email, "name": self.name}

    def method(self, *, now: int) -> Document:
        """Describe the card as a payment method that is not kept yet."""
        if self.card is None:
            raise invalid("A card is needed.", "payment_method")
        details = self.billing_details()
        return payment_methods.build(
            self.card, exp_month=self.exp_month, exp_year=self.exp_year, details=details, now=now
        )


@dataclass(frozen=True)
class Outcome:
    """Where to go next: to the shop, to 3-D Secure, or back to the form with a message."""

    session: Document
    redirect_to: str = ""
    message: str = ""


def pay(session: Document, payment: Payment, *, now: int) -> Outcome:
    """Pay an open session: the amounts are computed again, the card is asked, and on success all is kept at once.

    A decline keeps its charge and leaves the session open; a 3-D Secure card leads to its own page first.
    """
    details = payment.billing_details()
    customer = one_off.find_buyer(session, details, now=now)
    tax_id = tax_ids.read(payment.tax_id, payment.country)
    typed = {**session, "_details": details, "_tax_id": tax_id, "customer": customer and customer["id"]}
    due = orders.amounts_of(typed, customer, now=now).due_today
    if payment.card is None and due == 0:
        return _complete(typed, None, None, now=now)
    method = store.insert(payment.method(now=now))
    waiting = {**typed, "_method": method["id"]}
    intent = _intent_for(waiting, customer, due, now=now)
    waiting["_intent"] = intent["id"]
    store.save(waiting)
    store.save({**intent, "_session": session["id"]})
    return _confirm(waiting, {**intent, "_session": session["id"]}, method, authenticated=False, now=now)


def resume(session: Document, intent: Document, *, now: int) -> Outcome:
    """Go on after 3-D Secure was completed."""
    method = store.read("payment_method", session["_method"])
    return _confirm(session, intent, method, authenticated=True, now=now)


def _intent_for(session: Document, customer: Document | None, due: int, *, now: int) -> Document:
    known = store.find("payment_intent" if due else "setup_intent", session.get("_intent"))
    if known and known["status"] != "succeeded" and known.get("amount", 0) == due:
        return known
    if session["mode"] != "subscription" or customer is None:
        return one_off.open_intent(session, customer, now=now)
    if not due:
        return intents.open_setup_intent(customer, now=now)
    return intents.open_payment_intent(
        due,
        customer,
        currency=session["currency"],
        description="Subscription creation",
        setup_future_usage="off_session",
        now=now,
    )


def _confirm(session: Document, intent: Document, method: Document, *, authenticated: bool, now: int) -> Outcome:
    if intent["object"] == "setup_intent":
        result = intents.confirm_setup(intent, method, authenticated=authenticated)
    else:
        result = intents.confirm_payment(intent, method, on_session=True, authenticated=authenticated, now=now)
    if result.answer.verdict is Verdict.REQUIRES_ACTION:
        return Outcome(session, redirect_to=addresses.page(f"/3ds/{intent['id']}"))
    if result.answer.decline:
        return Outcome(session, message=result.answer.decline.message)
    return _complete(session, result.intent, method, now=now)


def _complete(session: Document, intent: Document | None, method: Document | None, *, now: int) -> Outcome:
    if session["mode"] == "subscription":
        left = _subscribe(session, intent, method, now=now)
    else:
        left = one_off.settle(session, intent or {}, method or {}, now=now)
    details = session["_details"]
    customer = store.find("customer", session["customer"]) or {}
    after = {
        **session,
        "customer_details": {
            "address": details["address"],
            "business_name": None,
            "email": customer.get("email") or details["email"],
            "individual_name": None,
            "name": details["name"],
            "phone": None,
            "tax_exempt": customer.get("tax_exempt", "none"),
            "tax_ids": [session["_tax_id"]] if session["_tax_id"] else [],
        },
        **left,
        "status": "complete",
        "url": None,
    }
    events.update("checkout.session.completed", store.read("checkout.session", session["id"]), after)
    return Outcome(after, redirect_to=success_url(after))


def _subscribe(session: Document, intent: Document | None, method: Document | None, *, now: int) -> Document:
    """Begin the subscription that was paid; give the fields of the session that change."""
    customer = _learn(session)
    order = orders.order_of(session, customer, now=now)
    if method:
        payment_methods.attach(store.read("payment_method", method["id"]), customer)
        order.details["default_payment_method"] = method["id"]
    shown = orders.line_items(session, now=now)["data"]
    paid_by = intent if intent and intent["object"] == "payment_intent" else None
    subscription = subscribing.open_subscription(customer, order, paid_by=paid_by, now=now)
    tax = session["automatic_tax"]
    return {
        "automatic_tax": {**tax, "status": "complete" if tax["enabled"] else None},
        "invoice": subscription["latest_invoice"],
        "payment_status": "paid" if paid_by else "no_payment_required",
        "subscription": subscription["id"],
        "_shares": {each["id"]: [each["amount_discount"], each["amount_tax"]] for each in shown},
        **orders.sums_of(orders.Amounts(**_sums(store.read("invoice", subscription["latest_invoice"])))),
    }


def _sums(invoice: Document) -> dict[str, int]:
    off, tax = (sum(each["amount"] for each in invoice[name]) for name in ("total_discount_amounts", "total_taxes"))
    plain = {name: invoice[name] for name in ("subtotal", "total")}
    return {**plain, "discount": off, "tax": tax, "due_today": invoice["amount_due"]}


def _learn(session: Document) -> Document:
    """Take over into the customer what the form may change: address, name, tax id."""
    before = store.read("customer", session["customer"])
    after = orders.with_address(session, before)
    learnt = {name: after[name] for name in ("address", "name")}
    if session["_tax_id"]:
        learnt["_tax_ids"] = [session["_tax_id"]]
    return events.update("customer.updated", before, {**before, **learnt})


def success_url(session: Document) -> str:
    """Give the shop's address for a paid session, with the session's id in its place."""
    return str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", session["id"])


def redeem(session: Document, word: str, *, now: int) -> Document:
    """Lay a promotion code on an open session, or take it off with an empty word.

    Raises  StripeError 400, with a sentence for the buyer: no such code, or it cannot be redeemed for this order.
    """
    code = discounts.find_code(word)
    if word and code is None:
        raise invalid("This code is invalid.", "promotion_code", "promotion_code_invalid")
    raw = [{"promotion_code": code["id"]}] if code else []
    shown = [{"coupon": None, "promotion_code": code["id"]}] if code else []
    after = {**session, "discounts": shown, "_discounts": raw, "_code": code["code"] if code else None}
    amounts = orders.amounts_of(after, store.find("customer", session["customer"]), now=now)
    return store.save({**after, **orders.sums_of(amounts)})


def open_session(fields: Document, *, now: int) -> Document:
    """Keep a new session that waits to be paid."""
    key = ids.new("cs_test").replace("cs_test_", "cs_test_a1") + ids.word(42)
    return store.insert({**fields, "id": key, "created": now, "url": addresses.page(f"/c/pay/{key}")})
