"""Credit that is bought, refunded and spent by people of the tests."""

from apps.billing import credit_purchases, outbox
from apps.usage import ledger, top_ups
from tests import build
from tests.support import shop
from tests.usage.test_ledger import used

FAILS_LATER = "4000000000000341"


def open_page(account, amount_minor=1000, *, saves_card=False, at=None):
    return credit_purchases.open_checkout(account, amount_minor, "usd", saves_card=saves_card, now=at or shop.now())


def look(account):
    """One sync, and the job that it nudges."""
    shop.look(account)
    top_ups.collect(account.pk, now=shop.now())


def buy(account, amount_minor=1000, *, saves_card=False, card=shop.GOOD):
    """From our page to the credit."""
    shop.pay(open_page(account, amount_minor, saves_card=saves_card), card=card)
    look(account)


def refund(sandbox, payment, amount_minor=None):
    """Give money back as somebody would in Stripe's Dashboard."""
    fields = {"payment_intent": payment} | ({"amount": str(amount_minor)} if amount_minor else {})
    answer = sandbox.call("POST", "/v1/refunds", fields)
    assert answer.status_code == 200, answer.text


def dispute(sandbox, payment, outcome):
    """The card's owner contests a payment, and the bank decides."""
    charge = sandbox.call("GET", f"/v1/payment_intents/{payment}").json()["latest_charge"]
    opened = sandbox.http.post(f"/_sandbox/api/charges/{charge}/dispute", json={})
    assert opened.status_code == 200, opened.text
    decided = sandbox.http.post(f"/_sandbox/api/disputes/{opened.json()['id']}/decide", json={"outcome": outcome})
    assert decided.status_code == 200, decided.text


def spend(account, run_id, price_micro, *, at=None):
    """One call that is paid as it is: reserved at its price and settled."""
    now = at or shop.now()
    build.act(ledger.reserve_payment, account, run_id, price_micro, currency="usd", timeout_s=60, now=now)
    facts = used(channel="api", price_micro=price_micro, occurred_at=now)
    return build.act(ledger.settle, run_id, facts, now=now).row


def send_outbox():
    return outbox.send_due(clock=shop.now)
