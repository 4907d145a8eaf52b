"""The page of credit, as its owner, as mallory and signed out."""

from datetime import timedelta

import pytest

from apps.billing import entitlements
from apps.billing.models import AutoRecharge, CreditPurchase, Overage, SavedCard
from apps.usage.models import CreditGrant
from tests import build, cast
from tests.support import credit, shop

PAGE, BUY, AFTER = "/settings/credit/", "/settings/credit/buy/", "/settings/credit/bought/"
RECHARGE, CHARGES = "/settings/credit/recharge/", "/settings/credit/usage-charges/"
WISH = {"is_on": "yes", "threshold": "5", "recharge_amount": "25", "most": "100"}


@pytest.fixture
def browser(client, ana):
    client.force_login(ana)
    return client


def text_of(response):
    return " ".join(response.content.decode().split())


@pytest.mark.django_db
def test_strangers_are_sent_to_sign_in_and_nothing_happens(client):
    for url in (PAGE, AFTER):
        assert client.get(url).headers["Location"].startswith("/accounts/login/")
    for url in (BUY, RECHARGE, CHARGES):
        assert client.post(url, {"amount": "10"}).headers["Location"].startswith("/accounts/login/")
    assert not CreditPurchase.objects.exists()


def test_buying_leads_to_a_page_at_stripe_that_nobody_keeps(published, browser):
    response = browser.post(BUY, {"amount": "25"})
    assert response.status_code == 303
    assert response.headers["Location"].startswith(published.base)
    assert (response.headers["Cache-Control"], response.headers["Referrer-Policy"]) == ("no-store", "no-referrer")
    purchase = CreditPurchase.objects.get()
    assert (purchase.amount_minor, purchase.currency, purchase.saves_card) == (2500, "usd", False)


def test_another_amount_counts_before_the_ones_on_offer(published, browser):
    browser.post(BUY, {"amount": "25", "other": "37", "saves_card": "on"})
    purchase = CreditPurchase.objects.get()
    assert (purchase.amount_minor, purchase.saves_card) == (3700, True)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"other": "3"}, "Choose a whole amount from 5 to 1000 USD."),
        ({"other": "12.50"}, "Choose a whole amount from 5 to 1000 USD."),
        ({"other": "lots"}, "Write an amount such as 20 or 20.50."),
        ({}, "Write an amount such as 20 or 20.50."),
    ],
)
@pytest.mark.django_db
def test_amounts_that_are_not_sold_are_refused_beside_the_field(browser, written, said):
    response = browser.post(BUY, written)
    assert response.status_code == 400
    assert said in text_of(response)
    assert 'aria-invalid="true"' in text_of(response)
    assert not CreditPurchase.objects.exists()


def test_the_return_page_tells_the_truth_at_once(published, browser, account):
    url = browser.post(BUY, {"amount": "10"}).headers["Location"]
    back = shop.pay(url).headers["Location"]
    response = browser.get(back[back.index("/settings") :])
    text = text_of(response)
    assert "Thank you: the credit is yours." in text
    assert "10.00 USD" in text
    assert CreditGrant.objects.get().amount_micro == 10_000_000
    assert "no-store" in response.headers["Cache-Control"]


def test_who_comes_back_without_paying_is_told_so(published, browser, account):
    browser.post(BUY, {"amount": "10"})
    session = CreditPurchase.objects.get().session_id
    assert "Stripe knows of no payment" in text_of(browser.get(AFTER, {"session_id": session}))
    assert "You came back without paying" in text_of(browser.get(PAGE, {"canceled": "yes"}))
    assert not CreditGrant.objects.exists()


def test_who_comes_back_while_stripe_is_slow_reads_confirming(published, browser, account):
    url = browser.post(BUY, {"amount": "10"}).headers["Location"]
    shop.pay(url)
    published.fault("http_500", count=9, match="/v1/customers")
    session = CreditPurchase.objects.get().session_id
    text = text_of(browser.get(AFTER, {"session_id": session}))
    assert "Confirming your payment" in text
    assert 'http-equiv="refresh"' in text


def test_mallory_sees_nothing_of_anas_purchase(published, client, ana, account):
    credit.buy(account)
    session = CreditPurchase.objects.get().session_id
    client.force_login(cast.mallory())
    for response in (client.get(PAGE), client.get(AFTER, {"session_id": session})):
        text = text_of(response)
        assert "10.00" not in text
        assert "Thank you" not in text
    client.post(RECHARGE, {"is_on": "no"})
    assert entitlements.account_for(ana, now=build.NOW).credit_purchases.count() == 1


def test_auto_recharge_needs_a_saved_card(published, browser, account):
    response = browser.post(RECHARGE, WISH)
    assert response.status_code == 409
    assert "There is no saved card yet." in text_of(response)
    assert not AutoRecharge.objects.exists()


def test_auto_recharge_is_turned_on_shown_and_turned_off(published, browser, account):
    credit.buy(account, saves_card=True)
    assert browser.post(RECHARGE, WISH).headers["Location"] == PAGE
    wish = AutoRecharge.objects.get()
    assert (wish.is_on, wish.threshold_micro, wish.amount_minor, wish.most_minor) == (True, 5_000_000, 2500, 10_000)
    assert wish.consented_at is not None
    text = text_of(browser.get(PAGE))
    assert "you let us charge Visa •••• 4242 in this way" in text
    assert 'value="25"' in text
    browser.post(RECHARGE, {"is_on": "no"})
    assert not AutoRecharge.objects.get().is_on


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"threshold": "1001"}, "Recharge below an amount from 0"),
        ({"threshold": "x"}, "Write an amount such as 20 or 20.50."),
        ({"recharge_amount": "3"}, "Choose a whole amount from 5 to 1000 USD."),
        ({"most": "24"}, "The most in a month cannot be less than one recharge."),
    ],
)
@pytest.mark.django_db
def test_recharges_that_make_no_sense_are_refused_beside_the_field(browser, account, changes, said):
    SavedCard.objects.create(account=account, payment_method_id="pm_1", synced_at=build.NOW)
    response = browser.post(RECHARGE, WISH | changes)
    assert response.status_code == 400
    assert said in text_of(response)
    assert not AutoRecharge.objects.exists()


@pytest.mark.django_db
def test_purchases_are_listed_with_what_went_back(browser, account):
    facts = {"kind": "recharge", "amount_minor": 2500, "currency": "usd", "created_at": shop.now()}
    paid = CreditPurchase.objects.create(account=account, state="paid", **facts)
    payment = {"status": "succeeded", "amount_minor": 2500, "currency": "usd", "refunded_minor": 500}
    paid.payments.create(pk="pi_1", account=account, created=shop.now(), synced_at=shop.now(), **payment)
    earlier = shop.now() - timedelta(days=2)
    CreditPurchase.objects.create(account=account, state="failed", **facts | {"created_at": earlier})
    CreditPurchase.objects.create(account=account, state="expired", **facts | {"created_at": earlier})
    text = text_of(browser.get(PAGE))
    assert "5.00 USD went back" in text
    assert "Refused, nothing charged" in text
    assert text.count("25.00 USD") == 2


@pytest.mark.django_db
def test_where_nothing_is_sold_only_the_balance_is_shown(browser, settings, tmp_path):
    path = tmp_path / "internal.toml"
    path.write_text(settings.CATALOGUE_PATH.read_text().replace('mode = "freemium"', 'mode = "internal"'))
    settings.CATALOGUE_PATH = path
    text = text_of(browser.get(PAGE))
    assert "What is left" in text
    assert "Go to payment" not in text
    assert not Overage.objects.exists()
