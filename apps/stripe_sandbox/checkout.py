"""Hosted Checkout: a session is paid with a card, and becomes a subscription, in one transaction."""

from dataclasses import dataclass

from apps.stripe_sandbox import (
    addresses,
    events,
    ids,
    intents,
    invoicing,
    items,
    metered,
    one_off,
    payment_methods,
    proration,
    store,
    subscribing,
)
from apps.stripe_sandbox.cards import Card, Verdict
from apps.stripe_sandbox.documents import Document, list_of, public
from apps.stripe_sandbox.subscribing import Order

DAY_S = 86400


@dataclass(frozen=True)
class Payment:
    """What a person typed: the test card, its expiry, and their details."""

    card: Card
    exp_month: int
    exp_year: int
    email: str
    name: str
    country: str
    postal_code: str

    def billing_details(self) -> Document:
        """Describe the person as a payment method does."""
        address = {
            **payment_methods.NOBODY["address"],
            "country": self.country,
            "postal_code": self.postal_code or None,
        }
        return {**payment_methods.NOBODY, "address": address, "email": self.email, "name": self.name}


@dataclass(frozen=True)
class Outcome:
    """Where to go next: to the shop, to 3-D Secure, or back to the form with a message."""

    session: Document
    redirect_to: str = ""
    message: str = ""


@dataclass(frozen=True)
class Amounts:
    """What a session costs, in minor units: for a whole period, and on this day."""

    subtotal: int
    due_today: int
    trial_end: int | None


def order_of(session: Document, customer: Document | None, *, now: int) -> Order:
    """Read what is to be bought, with the prices as they are at this moment."""
    data = session["_subscription_data"]
    wanted = items.read_wanted(session["_line_items"], customer, path="line_items")
    trial_days, trial_end = data.get("trial_period_days"), data.get("trial_end")
    details: Document = {"metadata": data.get("metadata") or {}}
    if "description" in data:
        details["description"] = data["description"]
    if "trial_settings" in data:
        ending = {"billing_cycle_anchor": None, **data["trial_settings"]["end_behavior"]}
        details["trial_settings"] = {"end_behavior": ending}
    return Order(wanted, trial_end=now + trial_days * DAY_S if trial_days else trial_end, details=details)


def amounts_of(session: Document, customer: Document | None, *, now: int) -> Amounts:
    """Compute what a session costs."""
    if session["mode"] != "subscription":
        total = one_off.total_of(session)
        return Amounts(total, total, None)
    order = order_of(session, customer, now=now)
    subtotal = sum(metered.fixed_amount(each.price, each.quantity) for each in order.wanted if each.price)
    today = 0 if order.trial_end else subtotal
    due = proration.settle(today, customer["balance"] if customer else 0).amount_due
    return Amounts(subtotal, due, order.trial_end)


def line_items(session: Document) -> Document:
    """List what a session sells."""
    data = []
    for raw in session["_line_items"]:
        price = store.read("price", raw["price"])
        quantity = raw.get("quantity", None if metered.is_metered(price) else 1)
        amount = metered.fixed_amount(price, quantity)
        data.append(
            {
                "id": raw["id"],
                "object": "item",
                "adjustable_quantity": None,
                "amount_discount": 0,
                "amount_subtotal": amount,
                "amount_tax": 0,
                "amount_total": amount,
                "currency": price["currency"],
                "description": invoicing.name_of(price),
                "metadata": {},
                "price": public(price),
                "quantity": quantity,
            }
        )
    return list_of(data, f"/v1/checkout/sessions/{session['id']}/line_items")


def pay(session: Document, payment: Payment, *, now: int) -> Outcome:
    """Pay an open session: the amounts are computed again, the card is asked, and on success all is kept at once.

    A decline keeps its charge and leaves the session open; a 3-D Secure card leads to its own page first.
    """
    details = payment.billing_details()
    customer = one_off.find_buyer(session, details, now=now)
    due = amounts_of(session, customer, now=now).due_today
    method = payment_methods.build(
        payment.card,
        exp_month=payment.exp_month,
        exp_year=payment.exp_year,
        details=details,
        now=now,
    )
    store.insert(method)
    waiting = {**session, "customer": customer and customer["id"], "_method": method["id"], "_details": details}
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


def _complete(session: Document, intent: Document, method: Document, *, now: int) -> Outcome:
    settle = _subscribe if session["mode"] == "subscription" else one_off.settle
    left, details = settle(session, intent, method, now=now), session["_details"]
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
            "tax_exempt": "none",
            "tax_ids": [],
        },
        **left,
        "status": "complete",
        "url": None,
    }
    events.update("checkout.session.completed", session, after)
    return Outcome(after, redirect_to=success_url(after))


def _subscribe(session: Document, intent: Document, method: Document, *, now: int) -> Document:
    """Begin the subscription that was paid; give the fields of the session that change."""
    customer = store.read("customer", session["customer"])
    payment_methods.attach(store.read("payment_method", method["id"]), customer)
    is_payment = intent["object"] == "payment_intent"
    order = order_of(session, customer, now=now)
    order.details["default_payment_method"] = method["id"]
    subscription = subscribing.open_subscription(customer, order, paid_by=intent if is_payment else None, now=now)
    return {
        "invoice": subscription["latest_invoice"],
        "payment_status": "paid" if is_payment else "no_payment_required",
        "subscription": subscription["id"],
    }


def success_url(session: Document) -> str:
    """Give the shop's address for a paid session, with the session's id in its place."""
    return str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", session["id"])


def open_session(fields: Document, *, now: int) -> Document:
    """Keep a new session that waits to be paid."""
    key = ids.new("cs_test").replace("cs_test_", "cs_test_a1") + ids.word(42)
    return store.insert({**fields, "id": key, "created": now, "url": addresses.page(f"/c/pay/{key}")})
