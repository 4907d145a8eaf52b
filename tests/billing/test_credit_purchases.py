"""Buying credit on Stripe's page: one page per account, one payment, one fact; through the local Stripe."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.urls import resolve

from apps.billing import checkout, credit_purchases, entitlements
from apps.billing.errors import CreditNotOnSale, NotOnSaleYet, PaidAlready, PaymentsAway
from apps.billing.models import (
    BillingAccount,
    CheckoutAttempt,
    CreditPayment,
    CreditPurchase,
    InvoiceMirror,
    PaymentMirror,
    Price,
    SavedCard,
)
from tests import cast
from tests.support import credit, shop
from tests.support.credit import open_page


def states():
    return list(CreditPurchase.objects.order_by("created_at").values_list("amount_minor", "state"))


def test_what_was_paid_is_one_payment_of_the_purchase_with_an_invoice(published, account):
    answer = shop.pay(open_page(account))
    shop.look(account)
    assert "/settings/credit/bought/?session_id=cs_test_" in answer.headers["Location"]
    purchase = CreditPurchase.objects.get()
    assert (purchase.kind, purchase.state, purchase.amount_minor, purchase.currency) == (
        "checkout",
        "paid",
        1000,
        "usd",
    )
    payment = CreditPayment.objects.get()
    assert (payment.purchase, payment.status, payment.amount_minor) == (purchase, "succeeded", 1000)
    assert (payment.refunded_minor, payment.lost_minor) == (0, 0)
    assert InvoiceMirror.objects.get().amount_paid_minor == 1000
    assert PaymentMirror.objects.get().invoice == InvoiceMirror.objects.get()
    assert not SavedCard.objects.exists()


def test_the_card_is_kept_where_the_person_wants_it(published, account):
    shop.pay(open_page(account, saves_card=True))
    shop.look(account)
    card = SavedCard.objects.get(account=account)
    assert (card.brand, card.last4) == ("visa", "4242")


def test_looking_twice_writes_nothing(published, account):
    shop.pay(open_page(account))
    shop.look(account)
    before = CreditPayment.objects.get().synced_at
    shop.look(account)
    assert CreditPayment.objects.get().synced_at == before


@pytest.mark.parametrize("amount_minor", [0, 499, 550, 100_100, -1000])
def test_only_whole_amounts_within_the_bounds_are_sold(published, account, amount_minor):
    with pytest.raises(CreditNotOnSale) as refused:
        open_page(account, amount_minor)
    assert str(refused.value.sentence) == "Choose a whole amount from 5 to 1000 USD."
    assert refused.value.field == "amount"
    assert not CreditPurchase.objects.exists()
    assert not account.stripe_customer_id


def test_a_currency_without_credit_is_refused(published, account):
    with pytest.raises(CreditNotOnSale):
        credit_purchases.open_checkout(account, 1000, "chf", saves_card=False, now=shop.now())
    assert not CreditPurchase.objects.exists()


def test_what_nobody_published_cannot_be_bought(published, account):
    Price.objects.filter(lookup_key="api_credit_usd").update(is_active=False)
    with pytest.raises(NotOnSaleYet):
        open_page(account)
    assert not CreditPurchase.objects.exists()


def test_a_second_click_gets_the_same_page(published, account):
    assert open_page(account) == open_page(account)
    assert states() == [(1000, "open")]


@pytest.mark.django_db(transaction=True)
def test_two_tabs_at_once_get_one_page(published):
    account = entitlements.account_for(cast.ana(), now=shop.now())

    def click(_number):
        try:
            return open_page(BillingAccount.objects.get(pk=account.pk))
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(click, range(4)))) == 1
    assert states() == [(1000, "open")]


def test_another_amount_closes_the_page_before_it(published, account):
    first = open_page(account)
    second = open_page(account, 2500)
    assert first != second
    assert states() == [(1000, "expired"), (2500, "open")]
    assert shop.pay(second).status_code == 303
    assert [one["status"] for one in published.objects("checkout.session")[:2]] == ["complete", "expired"]


def test_a_page_that_was_paid_meanwhile_is_not_paid_again(published, account):
    shop.pay(open_page(account))
    for amount_minor in (1000, 2500):
        with pytest.raises(PaidAlready):
            open_page(account, amount_minor)
    credit.look(account)
    assert states() == [(1000, "paid")]
    assert open_page(account, 2500)


def test_a_page_for_a_plan_and_one_for_credit_leave_each_other_open(published, account):
    plan = checkout.open_checkout(account, "premium", "month", "usd", now=shop.now())
    open_page(account)
    assert checkout.open_checkout(account, "premium", "month", "usd", now=shop.now()) == plan
    assert CheckoutAttempt.objects.get().state == "open"
    assert states() == [(1000, "open")]


def test_a_page_about_to_expire_is_followed_by_a_new_one(published, account):
    first = open_page(account)
    CreditPurchase.objects.update(expires_at=shop.now() + timedelta(minutes=29))
    assert open_page(account) != first
    assert states() == [(1000, "expired"), (1000, "open")]


def test_a_card_that_is_declined_buys_nothing(published, account):
    url = open_page(account)
    assert shop.pay(url, card=shop.DECLINED).status_code != 303
    shop.look(account)
    assert states() == [(1000, "open")]
    assert not CreditPayment.objects.received().exists()


def test_after_a_fault_of_stripes_own_a_second_click_opens_one_page(published, account):
    published.fault("http_500", count=1, match="/v1/checkout/sessions")
    with pytest.raises(PaymentsAway):
        open_page(account)
    assert open_page(account).startswith(published.base)
    made = [one for one in published.objects("checkout.session") if one["customer"] == account.stripe_customer_id]
    assert len(made) == 1


def test_pages_of_usage_are_where_stripe_sends_people_back():
    assert resolve(credit_purchases.PAGE).view_name == "usage:credit"
    assert resolve(credit_purchases.AFTER).view_name == "usage:after-purchase"
