"""What people do at Stripe's own pages, and how time passes there."""

import io
import re
from datetime import UTC, datetime

import httpx

from apps.billing import checkout, sync

GOOD, DECLINED = "4242424242424242", "4000000000000002"


class Quiet(io.StringIO):
    """Where commands write that nobody reads."""


def now():
    """Stripe's sandbox lives in real time; so does the product while it talks to it."""
    return datetime.now(UTC)  # noqa: TID251


def pay(url, *, card=GOOD):
    """Fill in the hosted checkout like a person without JavaScript; the last answer."""
    with httpx.Client(follow_redirects=False) as browser:
        page = browser.get(url)
        assert page.status_code == 200, page.text
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)[1]
        form = {
            "csrfmiddlewaretoken": token,
            "number": card,
            "expiry": "12 / 34",
            "cvc": "123",
            "name": "Ana",
            "country": "FR",
            "postal_code": "75001",
        }
        return browser.post(url, data=form, headers={"Referer": url})


def buy(account, plan="premium", *, interval="month", currency="usd", card=GOOD):
    """From the pricing page to the end of checkout, and one look at Stripe afterwards."""
    url = checkout.open_checkout(account, plan, interval, currency, now=now())
    answer = pay(url, card=card)
    look(account)
    return answer


def look(account, *, at=None):
    """One sync, as a webhook or the return page would cause it."""
    sync.want(account)
    assert sync.sync_customer(account.pk, clock=lambda: at or now())
    account.refresh_from_db()


def change(sandbox, subscription, **fields):
    """Change a subscription as somebody would in Stripe's Dashboard."""
    answer = sandbox.call("POST", f"/v1/subscriptions/{subscription}", fields)
    assert answer.status_code == 200, answer.text


def use_card(sandbox, account, method):
    """Replace the card that is charged from now on."""
    customer = account.stripe_customer_id
    card = sandbox.call("POST", f"/v1/payment_methods/{method}/attach", {"customer": customer}).json()
    for subscription in subscriptions_of(sandbox, account):
        if subscription["status"] not in ("canceled", "incomplete_expired"):
            change(sandbox, subscription["id"], default_payment_method=card["id"])


def subscriptions_of(sandbox, account):
    """All subscriptions of an account's customer, as Stripe has them, newest first."""
    query = f"customer={account.stripe_customer_id}&status=all&limit=100"
    return sandbox.call("GET", f"/v1/subscriptions?{query}").json()["data"]


def pass_time(sandbox, account, *, to):
    """Let time pass for one customer, up to a moment, with all that is due until then."""
    customer = sandbox.call("GET", f"/v1/customers/{account.stripe_customer_id}").json()
    clock = customer["test_clock"]
    if clock is None:
        begin = {"frozen_time": str(int(now().timestamp())), "customer": customer["id"]}
        clock = sandbox.call("POST", "/v1/test_helpers/test_clocks", begin).json()["id"]
    answer = sandbox.call(
        "POST", f"/v1/test_helpers/test_clocks/{clock}/advance", {"frozen_time": str(int(to.timestamp()))}
    )
    assert answer.status_code == 200, answer.text
    while sandbox.call("GET", f"/v1/test_helpers/test_clocks/{clock}").json()["status"] == "advancing":
        continue


def visit(url):
    """The text of a page at Stripe."""
    return httpx.get(url).text


def end_subscriptions(sandbox, account):
    """Cancel at once what a customer has, as somebody would in the Dashboard, and look."""
    for subscription in sandbox.objects("subscription"):
        if subscription["customer"] == account.stripe_customer_id:
            assert sandbox.call("DELETE", f"/v1/subscriptions/{subscription['id']}").status_code == 200
    look(account)


def become_customer(account):
    """Open a checkout and leave it: Stripe knows the person now."""
    checkout.open_checkout(account, "premium", "month", "usd", now=now())
    account.refresh_from_db()


def subscribe(sandbox, account, price, *, card):
    """Begin a subscription as somebody would in the Dashboard; its id. `price` is an id or a lookup key of ours."""
    known = {one["lookup_key"]: one["id"] for one in sandbox.objects("price") if one["active"]}
    customer = account.stripe_customer_id
    method = sandbox.call("POST", f"/v1/payment_methods/{card}/attach", {"customer": customer}).json()["id"]
    fields = {"customer": customer, "items[0][price]": known.get(price, price), "default_payment_method": method}
    answer = sandbox.call("POST", "/v1/subscriptions", fields)
    assert answer.status_code == 200, answer.text
    return answer.json()["id"]
