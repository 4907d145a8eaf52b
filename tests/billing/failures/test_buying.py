"""F6, F8, F10, F17, F27, F28, F32: what goes wrong between the pricing page and a plan that is on."""

import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from threading import Barrier

import httpx
import pytest
from django.db import Error, connection
from django.test import Client

from apps.billing import checkout, drift, leases
from apps.billing.errors import CurrencyFixed, PaymentsAway
from apps.billing.models import CheckoutAttempt, SubscriptionMirror, SubscriptionState
from tests.support import jobs, shop
from tests.support.storm import plan_of

ASKS_3DS = "4000002760003184"
CHOICE = {"plan": "premium", "interval": "month", "currency": "usd"}


def open_premium(account, currency="usd"):
    return checkout.open_checkout(account, "premium", "month", currency, now=shop.now())


def sessions_of(storm, account):
    """The checkout sessions of an account's customer, at Stripe."""
    account.refresh_from_db()
    return [one for one in storm.stripe.objects("checkout.session") if one["customer"] == account.stripe_customer_id]


def browser_of(account):
    browser = Client(enforce_csrf_checks=False)
    browser.force_login(account.owner)
    return browser


def test_f06_two_tabs_at_the_same_moment_get_one_page(storm, live_server):
    account = storm.account("two-tabs@example.org")
    cookies, gate = {"sessionid": browser_of(account).cookies["sessionid"].value}, Barrier(2)

    def click(_number):
        with httpx.Client(base_url=live_server.url, cookies=cookies) as tab:
            token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', tab.get("/pricing/").text)[1]
            gate.wait()
            answer = tab.post(
                "/billing/checkout/",
                data={**CHOICE, "csrfmiddlewaretoken": token},
                headers={"Referer": live_server.url},
            )
            return answer.status_code, answer.headers.get("Location")

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(click, range(2))
    assert first == second
    assert first[0] == 303
    assert CheckoutAttempt.objects.get().state == "open"
    assert len(sessions_of(storm, account)) == 1
    assert [one["email"] for one in storm.stripe.objects("customer")].count(account.owner.email) == 1


def test_f08_a_declined_card_leaves_the_page_open_and_the_plan_as_it_was(storm):
    account = storm.account("ben@example.org")
    url = open_premium(account)
    account.refresh_from_db()
    assert "Your card was declined" in shop.pay(url, card=shop.DECLINED).text
    storm.settle()
    assert plan_of(account) == "free"
    assert not SubscriptionMirror.objects.exists()
    assert not account.outbox.exists()
    assert CheckoutAttempt.objects.get().state == "open"
    assert open_premium(account) == url
    assert shop.pay(url).status_code == 303
    storm.settle()
    assert plan_of(account) == "premium"


def test_f10_3d_secure_that_is_never_finished_gives_nothing_and_expires(storm):
    account = storm.account("chloe@example.org")
    shop.become_customer(account)
    key = shop.subscribe(storm.stripe, account, "premium_month_usd", card="pm_card_authenticationRequired")
    storm.settle()
    begun = SubscriptionMirror.objects.get(pk=key)
    assert (begun.status, plan_of(account)) == ("incomplete", "free")
    storm.pass_time(account, begun.started_at + timedelta(hours=22, minutes=59))
    assert SubscriptionMirror.objects.get(pk=key).status == "incomplete"
    storm.pass_time(account, begun.started_at + timedelta(hours=23, minutes=1))
    assert SubscriptionMirror.objects.get(pk=key).status == "incomplete_expired"
    assert not account.snapshots.exclude(source="default").exists()
    assert set(SubscriptionState.objects.values_list("mrr_micro", flat=True)) == {0}
    assert not account.outbox.exists()


def test_f10_leaving_the_banks_page_in_checkout_gives_nothing(storm):
    account = storm.account("chloe@example.org")
    answer = shop.pay(open_premium(account), card=ASKS_3DS)
    assert "/3ds/" in answer.headers["Location"]
    storm.settle()
    assert plan_of(account) == "free"
    assert CheckoutAttempt.objects.get().state == "open"


def test_f17_another_currency_than_the_customers_is_not_sold(storm):
    account = storm.bought("dora@example.org", currency="eur")
    assert account.currency == "eur"
    shop.end_subscriptions(storm.stripe, account)
    storm.settle()
    with pytest.raises(CurrencyFixed) as problem:
        open_premium(account, "usd")
    assert problem.value.field == "currency"
    assert CheckoutAttempt.objects.filter(state="open").count() == 0
    assert storm.buy(account, currency="eur").status_code == 303
    storm.settle()
    assert plan_of(account) == "premium"


@pytest.mark.parametrize("kind", ["http_429", "http_500", "timeout_before"])
def test_f27_stripe_in_trouble_says_try_again_and_leaves_nothing_half(storm, kind):
    account = storm.account("eve@example.org")
    storm.stripe.fault(kind, count=30, match="/v1/checkout/sessions", seconds=0.05)
    answer = browser_of(account).post("/billing/checkout/", CHOICE)
    assert answer.status_code == 503
    assert "Please try again" in answer.content.decode()
    account.refresh_from_db()
    sessions = [
        one for one in storm.stripe.objects("checkout.session") if one["customer"] == account.stripe_customer_id
    ]
    assert sessions == []
    assert not CheckoutAttempt.objects.exclude(session_id="").exists()
    storm.calm_down()
    again = browser_of(account).post("/billing/checkout/", CHOICE)
    assert again.status_code == 303
    assert CheckoutAttempt.objects.filter(state="open").count() == 1


def test_f27_one_bad_moment_is_not_seen_at_all(storm):
    account = storm.account("eve@example.org")
    for kind in ("http_429", "http_409_lock"):
        storm.stripe.fault(kind, count=1, match="/v1/checkout/sessions")
    assert storm.buy(account).status_code == 303
    storm.settle()
    assert plan_of(account) == "premium"


def test_f28_a_create_whose_answer_is_lost_is_asked_again_under_the_same_key(storm):
    account = storm.account("lost-answer@example.org")
    storm.stripe.fault("timeout_after", count=1, match="/v1/customers", seconds=0.05)
    storm.stripe.fault("timeout_after", count=1, match="/v1/checkout/sessions", seconds=0.05)
    url = open_premium(account)
    (mine,) = sessions_of(storm, account)
    assert [one["email"] for one in storm.stripe.objects("customer")].count(account.owner.email) == 1
    assert mine["id"] == CheckoutAttempt.objects.get().session_id
    assert open_premium(account) == url


def test_f28_after_a_crash_between_asking_and_writing_the_next_click_finds_the_same_session(storm):
    account = storm.account("fred@example.org")
    storm.stripe.fault("timeout_after", count=3, match="/v1/checkout/sessions", seconds=0.05)
    with pytest.raises(PaymentsAway):  # all repeats lost their answers: the row knows no session yet
        open_premium(account)
    attempt = CheckoutAttempt.objects.get()
    assert (attempt.state, attempt.session_id) == ("open", "")
    open_premium(account)
    (mine,) = sessions_of(storm, account)
    assert CheckoutAttempt.objects.get().session_id == mine["id"]


@contextmanager
def a_database_that_refuses(table):
    """Every insert into a table fails, as on a full disk."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION refuse() RETURNS trigger AS $$ BEGIN RAISE 'disk full'; END $$ LANGUAGE plpgsql"
        )
        cursor.execute(f"CREATE TRIGGER refuse BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION refuse()")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP TRIGGER refuse ON {table}")
            cursor.execute("DROP FUNCTION refuse()")


def test_f32_our_database_fails_after_stripe_made_the_subscription(storm):
    account = storm.account("gina@example.org")
    with a_database_that_refuses(SubscriptionMirror._meta.db_table):
        storm.buy(account)
        storm.deliver()
        with pytest.raises(Error, match="disk full"):
            jobs.work()
    jobs.lose()
    assert not SubscriptionMirror.objects.exists()
    assert not account.invoices.exists()
    assert leases.is_wanted(account.pk)
    report = drift.reconcile(account.pk, is_dry=False, clock=shop.now)
    assert sorted(one.kind for _owner, one in report.differences) == [
        "entitlement_mismatch",
        "invoice",
        "missing_locally",
    ]
    assert report.open_high == 0
    assert plan_of(account) == "premium"
