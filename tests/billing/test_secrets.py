"""I11: a whole story leaves no card number, key or address that lets anybody in, in no row, line or page."""

import logging
import re
from contextlib import suppress

import pytest
from django.db import connection
from django.test import Client

from apps.billing import catching_up, drift
from apps.billing.errors import PaymentsAway
from tests import cast
from tests.support import jobs, shop

SECRET = re.compile(
    r"(?<![\w.])(?:4242|4000|5555)[ -]?\d{4}[ -]?\d{4}[ -]?\d{4}(?!\w)"  # the cards that are typed here
    r"|whsec_\w+|\b[sr]k_(?:test|live)_\w+"
    r"|_secret_\w+|/c/pay/cs_\w+|/p/session/\w+|/i/in_\w+",  # whoever has one of these is let in
)
HINT = "4242 4242 4242 4242"  # what the banner of a shop with sandbox money tells people to type
CHOICE = {"plan": "premium", "interval": "month", "currency": "usd"}
ADMIN = ("billingaccount", "stripeevent", "subscriptionmirror", "invoicemirror", "driftitem")


def rows():
    """Every row of every table, as text."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT t::text FROM "{table}" t')
            yield from ((table, row) for (row,) in cursor.fetchall())


@pytest.mark.parametrize(
    "text",
    ["4242 4242 4242 4242", "4000002760003184", "whsec_storm", "sk_test_sandbox", "rk_live_1", "seti_1_secret_x",
     "http://127.0.0.1:1/c/pay/cs_test_1", "/p/session/x1", "http://x/i/in_1"],
)  # fmt: skip
def test_what_would_be_found(text):
    assert SECRET.search(f"before {text} after")


@pytest.mark.parametrize("text", ["4000", "/billing/invoices/in_1/", "task_id", "1742442000000000", "card 4242"])
def test_what_is_no_secret(text):
    assert not SECRET.search(text)


class Reader:
    """A browser that remembers every page it was shown."""

    def __init__(self, person):
        self.client, self.pages = Client(), []
        self.client.force_login(person)

    def get(self, path):
        return self.keep(self.client.get(path, follow=True))

    def post(self, path, **fields):
        return self.keep(self.client.post(path, fields))

    def keep(self, answer):
        self.pages.append((answer.request["PATH_INFO"], answer.content.decode(errors="replace").replace(HINT, "")))
        return answer


def buy(storm, reader):
    """Declined first, then 3-D Secure that is left, then a good card; and back."""
    for card in (shop.DECLINED, "4000002760003184", shop.GOOD):
        page = reader.post("/billing/checkout/", **CHOICE)
        assert page.status_code == 303, page.content
        answer = shop.pay(page["Location"], card=card)
    reader.get(answer.headers["Location"].removeprefix("http://testserver"))
    storm.settle()


def trouble(storm, account):
    """Stripe fails, letters are forged, the job says what went wrong."""
    storm.stripe.fault("webhook_signature", count=3)
    shop.use_card(storm.stripe, account, "pm_card_mastercard")
    storm.deliver()
    storm.stripe.fault("http_500", count=4, match="/v1/subscriptions")
    with suppress(PaymentsAway):
        shop.look(account)
    storm.calm_down()
    storm.settle()


def test_a_whole_story_leaves_no_secret_anywhere(storm, caplog, capfd):
    caplog.set_level(logging.INFO)
    account = storm.account("ana@example.org")
    reader, staff = Reader(account.owner), Reader(cast.dana())
    for path in ("/pricing/", "/settings/plan/"):
        reader.get(path)
    buy(storm, reader)
    account.refresh_from_db()
    trouble(storm, account)
    reader.post("/billing/portal/")
    for path in ("/settings/plan/", "/pricing/", "/api/v1/billing/state", "/settings/usage/"):
        assert reader.get(path).status_code == 200
    reader.post(f"/billing/invoices/{account.invoices.first().pk}/")
    drift.reconcile(None, is_dry=False, clock=shop.now)
    catching_up.catch_up(clock=shop.now)
    jobs.work()
    for table in ADMIN:
        listed = staff.get(f"/admin/billing/{table}/")
        assert listed.status_code == 200, table
        for link in set(re.findall(rf"/admin/billing/{table}/[\w-]+/change/", listed.content.decode())):
            staff.get(link)
    spoken = capfd.readouterr()
    lines = [record.getMessage() for record in caplog.records] + [spoken.out, spoken.err]
    found = [(where, SECRET.search(text)[0]) for where, text in rows() if SECRET.search(text)]
    found += [("log", SECRET.search(line)[0]) for line in lines if SECRET.search(line)]
    found += [(path, SECRET.search(page)[0]) for path, page in [*reader.pages, *staff.pages] if SECRET.search(page)]
    assert found == []
    assert len(reader.pages) + len(staff.pages) > len(ADMIN) * 2
