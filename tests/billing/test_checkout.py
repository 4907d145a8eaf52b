"""Buying a plan: the price is ours, one attempt is open, nothing is half done."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection

from apps.billing import checkout, entitlements
from apps.billing.errors import AlreadySubscribed, CurrencyFixed, NotOnSale, NotOnSaleYet, PaymentRefused, PaymentsAway
from apps.billing.models import BillingAccount, CheckoutAttempt
from tests import cast
from tests.support import shop

pytestmark = pytest.mark.django_db


def open_premium(account, plan="premium", interval="month", currency="usd", at=None):
    return checkout.open_checkout(account, plan, interval, currency, now=at or shop.now())


def test_leads_to_the_hosted_page_with_our_price(published, account):
    url = open_premium(account)
    assert url.startswith(f"{published.base}/c/pay/")
    session = published.objects("checkout.session")[0]
    assert (session["amount_total"], session["currency"], session["mode"]) == (800, "usd", "subscription")
    assert session["client_reference_id"] == str(account.pk)
    assert session["success_url"] == "http://testserver/billing/after-checkout/?session_id={CHECKOUT_SESSION_ID}"
    assert session["cancel_url"] == "http://testserver/pricing/?canceled=yes"
    attempt = CheckoutAttempt.objects.get()
    assert (attempt.lookup_key, attempt.session_id, attempt.state) == ("premium_month_usd", session["id"], "open")


def test_the_address_is_kept_nowhere(published, account):
    url = open_premium(account)
    assert url not in str(list(CheckoutAttempt.objects.values()) + list(BillingAccount.objects.values()))


def test_a_second_click_gets_the_same_address(published, account):
    assert open_premium(account) == open_premium(account)
    assert CheckoutAttempt.objects.count() == 1


def test_another_plan_closes_the_first_page(published, account):
    first = open_premium(account)
    second = open_premium(account, "premium_plus")
    assert first != second
    assert "This checkout has expired" in shop.visit(first)
    states = dict(CheckoutAttempt.objects.values_list("lookup_key", "state"))
    assert states == {"premium_month_usd": "expired", "premium_plus_month_usd": "open"}


def test_an_attempt_that_is_nearly_over_is_followed_by_a_new_one(published, account):
    first = open_premium(account)
    CheckoutAttempt.objects.update(expires_at=shop.now() + timedelta(minutes=10))
    assert open_premium(account) != first
    assert CheckoutAttempt.objects.filter(state="open").count() == 1


@pytest.mark.parametrize(
    ("plan", "interval", "currency", "field"),
    [
        ("gold", "month", "usd", "plan"),
        ("free", "month", "usd", "plan"),
        ("", "", "", "plan"),
        ("premium", "week", "usd", "interval"),
        ("premium", "month", "gbp", "currency"),
    ],
)
def test_what_is_not_on_sale_is_refused(published, account, plan, interval, currency, field):
    with pytest.raises(NotOnSale) as problem:
        open_premium(account, plan, interval, currency)
    assert problem.value.field == field
    assert not CheckoutAttempt.objects.exists()


def test_what_nobody_published_is_not_sold(account):
    with pytest.raises(NotOnSaleYet):
        open_premium(account)
    assert not CheckoutAttempt.objects.exists()


def test_who_pays_already_is_not_asked_again(published, account):
    shop.buy(account)
    with pytest.raises(AlreadySubscribed):
        open_premium(account, "premium_plus")
    assert CheckoutAttempt.objects.filter(state="open").count() == 0
    assert (
        len([one for one in published.objects("checkout.session") if one["customer"] == account.stripe_customer_id])
        == 1
    )


def test_a_page_that_was_paid_unseen_is_not_offered_again(published, account):
    shop.pay(open_premium(account))
    with pytest.raises(AlreadySubscribed):
        open_premium(account)
    with pytest.raises(AlreadySubscribed):
        open_premium(account, "premium_plus")
    account.refresh_from_db()
    assert account.sync_wanted_seq > account.sync_done_seq
    shop.look(account)
    assert entitlements.plan_for(account, now=shop.now()).key == "premium"


def test_a_customer_keeps_the_currency_of_the_first_payment(published, account):
    shop.buy(account)
    shop.end_subscriptions(published, account)
    with pytest.raises(CurrencyFixed) as problem:
        open_premium(account, currency="eur")
    assert problem.value.field == "currency"
    assert str(problem.value.sentence) == "You have paid in USD before, so your plan is paid in USD too."


def test_stripes_own_reason_is_shown_where_we_did_not_know_the_currency(published, account):
    shop.buy(account)
    shop.end_subscriptions(published, account)
    BillingAccount.objects.update(currency="")
    account.refresh_from_db()
    with pytest.raises(PaymentRefused) as problem:
        open_premium(account, currency="eur")
    assert "currency" in str(problem.value.sentence)
    assert not CheckoutAttempt.objects.filter(state="open").exists()


@pytest.mark.parametrize("kind", ["http_429", "http_409_lock"])
def test_a_short_trouble_is_waited_out(published, account, kind):
    published.fault(kind, count=1, match="/v1/checkout/sessions")
    assert open_premium(account).startswith(published.base)
    assert CheckoutAttempt.objects.count() == 1


@pytest.mark.parametrize("path", ["/v1/customers", "/v1/checkout/sessions"])
def test_a_fault_of_stripes_is_not_repeated_to_the_next_click(published, account, path):
    published.fault("http_500", count=1, match=path)  # kept under the key: asking again gives it again
    with pytest.raises(PaymentsAway):
        open_premium(account)
    assert CheckoutAttempt.objects.get().state == "expired"
    assert open_premium(account).startswith(published.base)


def test_stripe_being_away_leaves_an_attempt_that_goes_on(published, account, settings):
    base, settings.STRIPE_API_BASE = settings.STRIPE_API_BASE, "http://127.0.0.1:9"
    with pytest.raises(PaymentsAway):
        open_premium(account)
    attempt = CheckoutAttempt.objects.get()
    assert (attempt.state, attempt.session_id) == ("open", "")
    settings.STRIPE_API_BASE = base
    assert open_premium(account).startswith(published.base)
    assert CheckoutAttempt.objects.get().pk == attempt.pk


def test_an_answer_that_was_lost_is_the_same_session_again(published, account):
    first = open_premium(account)
    CheckoutAttempt.objects.update(session_id="")  # as if we had died before writing it down
    assert open_premium(account) == first


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_once_open_one_attempt(published):
    account = entitlements.account_for(cast.ana(), now=shop.now())
    gate = threading.Barrier(2)

    def click(_number):
        try:
            gate.wait()
            return open_premium(BillingAccount.objects.get(pk=account.pk))
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        urls = set(pool.map(click, range(2)))
    assert len(urls) == 1
    assert CheckoutAttempt.objects.count() == 1
    account.refresh_from_db()
    customers = [one for one in published.objects("customer") if one["email"] == "ana@example.org"]
    assert account.stripe_customer_id in {one["id"] for one in customers}
    assert len([one for one in customers if one["metadata"]["account_id"] == str(account.pk)]) == 1
