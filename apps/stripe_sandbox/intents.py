"""Payments: an intent is confirmed with a card, which leaves a charge behind, whether it succeeds or not."""

from dataclasses import dataclass

from apps.stripe_sandbox import addresses, cards, charges, disputes, events, faults, ids, payment_methods, store
from apps.stripe_sandbox.cards import Answer, Decline, Verdict
from apps.stripe_sandbox.documents import Document, Json, public


@dataclass(frozen=True)
class Result:
    """What became of a confirmation: the intent as it is now, and the bank's answer."""

    intent: Document
    answer: Answer


def open_payment_intent(
    amount: int, customer: Document | None, *, currency: str, now: int, **details: Json
) -> Document:
    """Keep a payment intent that waits for a card.

    details  fields that are taken over as they are: `description`, `metadata`, `setup_future_usage`, …
    """
    key = ids.new("pi")
    intent: Document = {
        "id": key,
        "object": "payment_intent",
        "amount": amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "automatic_payment_methods": None,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic",
        "client_secret": f"{key}_secret_{ids.word(24)}",
        "confirmation_method": "automatic",
        "created": now,
        "currency": currency,
        "customer": customer["id"] if customer else None,
        "description": None,
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": {},
        "next_action": None,
        "payment_method": None,
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": ["card"],
        "processing": None,
        "receipt_email": None,
        "setup_future_usage": None,
        "shipping": None,
        "status": "requires_payment_method",
        "_clock": customer.get("test_clock") if customer else None,
        **details,
    }
    return events.create("payment_intent.created", intent)


def open_setup_intent(customer: Document, *, now: int, **details: Json) -> Document:
    """Keep a setup intent: a card is saved, nothing is charged. `details` are fields taken over as they are."""
    key = ids.new("seti")
    intent: Document = {
        "id": key,
        "object": "setup_intent",
        "application": None,
        "automatic_payment_methods": None,
        "cancellation_reason": None,
        "client_secret": f"{key}_secret_{ids.word(24)}",
        "created": now,
        "customer": customer["id"],
        "description": None,
        "flow_directions": None,
        "last_setup_error": None,
        "latest_attempt": None,
        "livemode": False,
        "mandate": None,
        "metadata": {},
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": ["card"],
        "single_use_mandate": None,
        "status": "requires_payment_method",
        "usage": "off_session",
        "_clock": customer.get("test_clock"),
        **details,
    }
    return events.create("setup_intent.created", intent)


def confirm_setup(intent: Document, method: Document, *, authenticated: bool = False) -> Result:
    """Save a card for later, or be asked for 3-D Secure, or be declined."""
    answer = cards.answer_setup(payment_methods.card_of(method), authenticated=authenticated)
    after = {**intent, "payment_method": method["id"], "status": str(answer.verdict), "next_action": None}
    if answer.verdict is Verdict.REQUIRES_ACTION:
        after["next_action"] = _ask(intent)
        return Result(events.update("setup_intent.requires_action", intent, after), answer)
    if answer.decline:
        after |= {"payment_method": None, "status": "requires_payment_method"}
        after["last_setup_error"] = error_of(answer.decline, method)
        return Result(events.update("setup_intent.setup_failed", intent, after), answer)
    if authenticated:
        payment_methods.remember_setup(method["id"])
    return Result(events.update("setup_intent.succeeded", intent, after), answer)


def confirm_payment(
    intent: Document, method: Document, *, on_session: bool, authenticated: bool = False, now: int
) -> Result:
    """Charge a card; the intent and its charge are kept whatever the bank says."""
    answer = _ask_bank(intent, method, on_session=on_session, authenticated=authenticated)
    after = {**intent, "payment_method": method["id"], "next_action": None}
    if answer.verdict is Verdict.REQUIRES_ACTION:
        after |= {"status": "requires_action", "next_action": _ask(intent)}
        return Result(_tell("payment_intent.requires_action", after), answer)
    charge = charges.keep(after, method, answer.decline, now=now)
    after["latest_charge"] = charge["id"]
    if answer.decline:
        after |= {"status": "requires_payment_method", "payment_method": None}
        after["last_payment_error"] = {**error_of(answer.decline, method), "charge": charge["id"]}
        return Result(_tell("payment_intent.payment_failed", after), answer)
    after |= {"status": "succeeded", "amount_received": intent["amount"], "last_payment_error": None}
    if authenticated:
        payment_methods.remember_setup(method["id"])
    done = _tell("payment_intent.succeeded", after)
    _save_card(done, method)
    disputes.open_by_card(charge, payment_methods.card_of(method), now=now)
    return Result(done, answer)


def _save_card(intent: Document, method: Document) -> None:
    """Keep the card for later where the payment was made so."""
    customer = store.find("customer", intent["customer"]) if intent["setup_future_usage"] else None
    if customer:
        payment_methods.attach(store.read("payment_method", method["id"]), customer)


def fail_authentication(intent: Document) -> Document:
    """Write down that 3-D Secure was refused: the intent waits for another card."""
    method = store.find("payment_method", intent["payment_method"])
    problem = error_of(cards.NOT_AUTHENTICATED, method)
    is_setup = intent["object"] == "setup_intent"
    after = {**intent, "status": "requires_payment_method", "next_action": None, "payment_method": None}
    after["last_setup_error" if is_setup else "last_payment_error"] = problem
    kind = "setup_intent.setup_failed" if is_setup else "payment_intent.payment_failed"
    return _tell(kind, after)


def cancel(intent: Document, reason: str | None, *, now: int) -> Document:
    """Give up an intent that has not succeeded."""
    if intent["status"] in ("succeeded", "canceled"):
        return intent
    after = {**intent, "status": "canceled", "canceled_at": now, "cancellation_reason": reason, "next_action": None}
    return _tell("payment_intent.canceled", after)


def resize(intent: Document, amount: int) -> Document:
    """Ask for another amount: something was taken off the invoice, or came back."""
    return store.save({**intent, "amount": amount})


def error_of(decline: Decline, method: Document | None) -> Document:
    """Build the error object that an intent carries after a decline."""
    error: Document = {"code": decline.code, "message": decline.message, "type": "card_error"}
    if decline.decline_code:
        error["decline_code"] = decline.decline_code
    if method:
        error["payment_method"] = public(method)
    return error


def _tell(kind: str, after: Document) -> Document:
    store.save(after)
    events.emit(kind, after)
    return after


def _ask(intent: Document) -> Document:
    url, back = addresses.page(f"/3ds/{intent['id']}"), intent.get("_return_url")
    return {"type": "redirect_to_url", "redirect_to_url": {"return_url": back, "url": url}}


def _ask_bank(intent: Document, method: Document, *, on_session: bool, authenticated: bool) -> Answer:
    planted = faults.take("decline_next", intent["customer"])
    if planted:
        code = planted.params.get("decline_code", "generic_decline")
        return Answer(Verdict.DECLINED, Decline("card_declined", "Your card was declined.", code))
    return cards.answer_charge(
        payment_methods.card_of(method),
        on_session=on_session,
        authenticated=authenticated,
        was_set_up=bool(method.get("_was_set_up")),
    )
