"""3-D Secure: a payment that waits for its owner goes on, or is refused."""

from urllib.parse import urlencode

from apps.stripe_sandbox import addresses, checkout, clocks, collection, intents, portal, store
from apps.stripe_sandbox.cards import NOT_AUTHENTICATED, Verdict
from apps.stripe_sandbox.documents import Document


def find_intent(key: str) -> Document | None:
    """Find what waits: a payment or the saving of a card."""
    return store.find("setup_intent" if key.startswith("seti_") else "payment_intent", key)


def is_waiting(intent: Document) -> bool:
    """Say whether there is still something to answer."""
    return bool(intent["status"] == "requires_action")


def way_back(intent: Document) -> str:
    """Give the page that the payment came from."""
    if intent.get("_session"):
        return addresses.page(f"/c/pay/{intent['_session']}")
    if intent.get("_invoice"):
        return addresses.page(f"/i/{intent['_invoice']}")
    if intent.get("_portal"):
        return addresses.page(f"/p/session/{intent['_portal']}")
    if intent.get("_return_url"):
        return _with_result(intent)
    return addresses.page("/_sandbox")


def _with_result(intent: Document) -> str:
    """Give the caller's own address, with what Stripe adds to it."""
    now = store.read(intent["object"], intent["id"])
    result = "succeeded" if now["status"] == "succeeded" else "failed"
    added = {
        intent["object"]: intent["id"],
        f"{intent['object']}_client_secret": intent["client_secret"],
        "redirect_status": result,
    }
    return f"{intent['_return_url']}{'&' if '?' in intent['_return_url'] else '?'}{urlencode(added)}"


def complete(intent: Document) -> str:
    """Let the owner agree; give the address to go to next."""
    now = clocks.time_on(intent.get("_clock"))
    if intent.get("_session"):
        session = store.read("checkout.session", intent["_session"])
        return checkout.resume(session, intent, now=now).redirect_to or way_back(intent)
    if intent.get("_portal"):
        portal.resume_card(intent)
        return portal.way_onward(intent["_portal"]) or way_back(intent)
    method = store.read("payment_method", intent["payment_method"])
    result = intents.confirm_payment(intent, method, on_session=True, authenticated=True, now=now)
    if not intent.get("_invoice"):
        return way_back(intent)
    invoice = store.read("invoice", intent["_invoice"])
    if result.answer.verdict is Verdict.SUCCEEDED:
        collection.finish(invoice, amount=invoice["amount_due"], now=now)
    elif result.answer.decline:
        collection.fail(invoice, result.answer.decline, now=now)
    return way_back(intent)


def refuse(intent: Document) -> str:
    """Let the owner refuse: the payment waits for another card; give the address to go to next."""
    now = clocks.time_on(intent.get("_clock"))
    intents.fail_authentication(intent)
    if intent.get("_invoice"):
        collection.fail(store.read("invoice", intent["_invoice"]), NOT_AUTHENTICATED, now=now)
    return way_back(intent) + ("?panel=card&failed=1" if intent.get("_portal") else "")
