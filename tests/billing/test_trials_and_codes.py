"""What checkout offers beside the price: a trial once, codes that work, tax where it is on."""

import re
from datetime import timedelta

import pytest
from django.test import Client

from apps.billing import checkout, entitlements, plan_changes, plans
from apps.billing.errors import CodeRefused
from apps.billing.models import BillingAccount, CheckoutAttempt, SubscriptionMirror
from tests import cast
from tests.support import shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def catalogue(settings, tmp_path):
    """Change the catalogue: give pairs of what stands there and what shall stand."""

    def change(*pairs):
        text = settings.CATALOGUE_PATH.read_text()
        for there, instead in pairs:
            assert there in text
            text = text.replace(there, instead, 1)
        path = tmp_path / f"{len(text)}.toml"
        path.write_text(text)
        settings.CATALOGUE_PATH = path

    return change


@pytest.fixture
def with_trial(catalogue):
    catalogue(('name = "Premium"\n', 'name = "Premium"\ntrial_days = 14\n'))


def open_premium(account, code=""):
    return checkout.open_checkout(account, "premium", "month", "usd", code, now=shop.now())


def latest(sandbox, account):
    return next(one for one in sandbox.objects("checkout.session") if one["client_reference_id"] == str(account.pk))


def make_code(sandbox, word, *, coupon=None, **fields):
    off = sandbox.call("POST", "/v1/coupons", coupon or {"percent_off": "25", "duration": "forever", "name": "Launch"})
    assert off.status_code == 200, off.text
    asked = {"promotion[type]": "coupon", "promotion[coupon]": off.json()["id"], "code": word, **fields}
    answer = sandbox.call("POST", "/v1/promotion_codes", asked)
    assert answer.status_code == 200, answer.text
    return answer.json()["id"]


def text_of(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def tab_of(person):
    tab = Client()
    tab.force_login(person)
    return tab


# --- trials ---
def test_a_trial_begins_without_a_charge(published, account, with_trial):
    shop.buy(account)
    paid = SubscriptionMirror.objects.get()
    assert (paid.status, paid.trial_end is not None, paid.renewal_minor) == ("trialing", True, 800)
    assert entitlements.in_force(account, now=shop.now()).source == "trial"
    assert account.trial_consumed_at is not None
    assert [one for one in published.objects("charge") if one["customer"] == account.stripe_customer_id] == []


def test_a_second_trial_is_not_given(published, account, with_trial):
    shop.buy(account)
    shop.end_subscriptions(published, account)
    shop.buy(account)
    paid = SubscriptionMirror.objects.live().get()
    assert (paid.status, paid.trial_end) == ("active", None)


def test_the_trial_is_said_to_who_may_have_it(published, account, ana, with_trial):
    words = "14 days free , then $8 a month."
    assert words in text_of(Client().get("/pricing/"))
    page = text_of(tab_of(ana).get("/pricing/"))
    assert words in page
    assert "You are asked for a card now, and can cancel before the end." in page
    assert "Try Premium free" in page
    shop.buy(account)
    shop.end_subscriptions(published, account)
    assert "days free" not in text_of(tab_of(ana).get("/pricing/"))
    assert words in text_of(tab_of(cast.mallory()).get("/pricing/"))


def test_under_a_hold_no_trial_is_given(account, with_trial):
    account.hold_reason = "dispute"
    assert checkout.trial_days(account, plans.catalogue().plans["premium"]) == 0


def test_whether_a_trial_asks_for_a_card_is_the_catalogues_word(published, account, ana, catalogue, with_trial):
    catalogue(('payment_method_collection = "always"', 'payment_method_collection = "if_required"'))
    assert "No card needed." in text_of(tab_of(ana).get("/pricing/"))
    open_premium(account)
    assert latest(published, account)["payment_method_collection"] == "if_required"


def test_the_return_page_says_until_when_the_trial_goes(published, account, ana, with_trial):
    shop.pay(open_premium(account))
    assert re.search(
        r"Premium is on Your trial goes on until \d+ \w+ \d{4}\.", text_of(tab_of(ana).get("/billing/after-checkout/"))
    )


def test_in_a_trial_every_change_is_free_and_at_once(published, account, ana, with_trial):
    shop.buy(account)
    tab = tab_of(ana)
    chosen = tab.post("/settings/plan/change/", {"plan": "premium_plus", "interval": "month"})["Location"]
    page = text_of(tab.get(chosen))
    assert "Premium+ starts now. Your trial goes on until" in page
    assert "To pay now $0" in page
    tab.post(chosen)
    shop.look(account)
    paid = SubscriptionMirror.objects.get()
    assert (paid.plan_id, paid.status, paid.renewal_minor) == ("premium_plus", "trialing", 4000)


# --- codes ---
def test_the_payment_page_asks_for_a_code_where_the_catalogue_says_so(published, account, catalogue):
    open_premium(account)
    assert latest(published, account)["allow_promotion_codes"] is True
    catalogue(("allow_promotion_codes = true", "allow_promotion_codes = false"))
    CheckoutAttempt.objects.update(state="expired")
    open_premium(account)
    assert latest(published, account)["allow_promotion_codes"] in (None, False)


def test_a_code_from_a_link_is_taken_off(published, account, ana):
    code = make_code(published, "LINK25")
    url = open_premium(account, "LINK25")
    session = latest(published, account)
    assert (session["amount_total"], CheckoutAttempt.objects.get().promotion_code) == (600, code)
    shop.pay(url)
    shop.look(account)
    assert SubscriptionMirror.objects.get().renewal_minor == 600
    page = text_of(tab_of(ana).get("/settings/plan/"))
    assert "Launch: 25 % off" in page
    assert "Next payment $6 on" in page


def test_the_same_link_twice_is_one_page_and_another_code_another(published, account):
    make_code(published, "TWICE25")
    first = open_premium(account, "TWICE25")
    assert open_premium(account, "TWICE25") == first
    assert open_premium(account) != first
    assert CheckoutAttempt.objects.filter(state="open").count() == 1
    assert "This checkout has expired" in shop.visit(first)


def test_a_discount_outlives_a_planned_change(published, account):
    make_code(published, "STAYS25")
    url = checkout.open_checkout(account, "premium_plus", "month", "usd", "STAYS25", now=shop.now())
    shop.pay(url)
    shop.look(account)
    change = plan_changes.offer(account, "premium", "month", now=shop.now())
    assert change.quote["renewal_minor"] == 600
    plan_changes.agree(account, change.pk, clock=shop.now)
    shop.look(account)
    paid = SubscriptionMirror.objects.get()
    assert (paid.planned_price.lookup_key, paid.renewal_minor) == ("premium_month_usd", 600)
    later = paid.current_period_end + timedelta(hours=2)
    shop.pass_time(published, account, to=later)
    shop.look(account, at=later)
    taken = [one["amount"] for one in published.objects("charge") if one["customer"] == account.stripe_customer_id]
    assert taken == [600, 3000]


@pytest.mark.parametrize(
    ("word", "fields", "coupon"),
    [
        ("OFF1", {"active": "false"}, None),
        ("EURO1", {}, {"amount_off": "200", "currency": "eur", "duration": "once"}),
    ],
)
def test_a_code_that_does_not_work_is_said_and_opens_nothing(published, account, ana, word, fields, coupon):
    make_code(published, word, coupon=coupon, **fields)
    with pytest.raises(CodeRefused):
        open_premium(account, word)
    form = {"plan": "premium", "interval": "month", "currency": "usd", "code": word}
    answer = tab_of(ana).post("/billing/checkout/", form, follow=True)
    assert answer.redirect_chain == [("/pricing/?interval=month&currency=usd", 302)]
    assert "This code is not valid, or not for this purchase. Nothing was charged." in text_of(answer)
    assert not CheckoutAttempt.objects.exists()


@pytest.mark.parametrize("word", ["NOBODYHASTHIS", "x" * 201, "<script>"])
def test_what_is_no_code_is_refused(published, account, word):
    with pytest.raises(CodeRefused):
        open_premium(account, word)
    assert not CheckoutAttempt.objects.exists()


def test_anas_own_code_is_not_mallorys(published, account):
    shop.become_customer(account)
    make_code(published, "FORANA", customer=account.stripe_customer_id)
    stranger = entitlements.account_for(cast.mallory(), now=shop.now())
    with pytest.raises(CodeRefused):
        open_premium(stranger, "FORANA")
    assert open_premium(account, "FORANA").startswith(published.base)


def test_a_code_for_newcomers_is_refused_to_who_has_paid(published, account):
    make_code(published, "HELLO25", **{"restrictions[first_time_transaction]": "true"})
    shop.buy(account)
    shop.end_subscriptions(published, account)
    with pytest.raises(CodeRefused):
        open_premium(account, "HELLO25")


def test_looking_at_a_link_asks_nobody(db, settings):
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    page = Client().get("/pricing/?code=SPRING&interval=year")
    assert "SPRING" not in text_of(page).replace("Your code SPRING is taken off", "")
    assert "code=SPRING" in page.content.decode()


# --- currency and tax ---
def test_the_first_currency_stays_and_is_explained(published, account, ana):
    shop.buy(account)
    page = text_of(tab_of(ana).get("/pricing/?currency=eur"))
    assert "You have paid in USD before, so prices are in USD." in page
    assert "EUR" not in page


def test_tax_is_asked_for_where_it_is_on(published, account, settings):
    settings.STRIPE_AUTOMATIC_TAX = True
    open_premium(account)
    session = latest(published, account)
    assert session["automatic_tax"]["enabled"] is True
    assert session["tax_id_collection"]["enabled"] is True
    assert BillingAccount.objects.get().stripe_customer_id == session["customer"]
