"""What people do at Stripe's own pages, and how time passes there."""

import io
import re
from datetime import UTC, datetime

import httpx

from apps.billing import checkout, sync

GOOD, DECLINED, FAILS_LATER = "4242424242424242", "4000000000000002", "4000000000000341"


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
