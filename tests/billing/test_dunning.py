"""An unpaid bill: told on every page of who owes it and of nobody else, with the one button that puts it right."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import formats

from apps.billing import dunning, entitlements
from apps.billing.errors import NothingToPay
from apps.billing.models import BillingAccount, InvoiceMirror, SubscriptionMirror
from tests import cast
from tests.support import shop

pytestmark = pytest.mark.django_db
PAGES = ("/settings/plan/", "/settings/profile/", "/settings/data/", "/pricing/", "/chat/")
FAILED = "Your payment of $8 did not go through."


def at(person):
    client = Client()
    client.force_login(person)
    return client


def owe(sandbox, account, card="pm_card_chargeCustomerFail"):
    """A renewal that failed, as a webhook would tell it; when that was."""
    shop.buy(account)
    when = SubscriptionMirror.objects.get(account=account).current_period_end + timedelta(hours=2)
    shop.use_card(sandbox, account, card)
    shop.pass_time(sandbox, account, to=when)
    shop.look(account, at=when)
    return when


def fail_now(account):
    """Pages live in our time: the failure is moved to this moment. Until when the plan stays."""
    BillingAccount.objects.filter(pk=account.pk).update(delinquent_since=shop.now())
    return shop.now() + timedelta(days=7)


def test_every_page_says_what_happened_until_when_and_what_to_do(published, account, ana):
    owe(published, account)
    until = fail_now(account)
    for page in PAGES:
        said = at(ana).get(page).content.decode()
        assert FAILED in said, page
        assert f"You keep Premium until {formats.date_format(until, 'j F Y')}." in said
        assert said.count('action="/billing/pay/"') == 1
        assert "Pay now" in said


def test_others_and_who_owes_nothing_see_no_word_of_it(published, account):
    owe(published, account)
    for client in (at(cast.mallory()), Client()):
        for page in (*PAGES, "/billing/pay/"):
            said = client.get(page, follow=True).content.decode()
            assert "did not go through" not in said
            assert 'action="/billing/pay/"' not in said


def test_the_button_leads_to_the_open_bill_and_leaves_no_trace(published, account, ana):
    owe(published, account)
    answer = at(ana).post("/billing/pay/")
    bill = InvoiceMirror.objects.get(status="open").pk
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{published.base}/i/{bill}")
    assert "no-store" in answer.headers["Cache-Control"]
    assert answer.headers["Referrer-Policy"] == "no-referrer"


def test_nobody_else_reaches_the_bill(published, account):
    owe(published, account)
    answer = at(cast.mallory()).post("/billing/pay/")
    assert answer.status_code == 409
    assert "everything is paid" in answer.content.decode()
    assert Client().post("/billing/pay/").headers["Location"].startswith("/accounts/login/")
    assert Client(enforce_csrf_checks=True).post("/billing/pay/").status_code == 403


def test_the_page_of_the_letter_asks_who_it_is_then_shows_what_is_open(published, account, ana):
    owe(published, account)
    assert Client().get("/billing/pay/").headers["Location"] == "/accounts/login/?next=/billing/pay/"
    page = at(ana).get("/billing/pay/").content.decode()
    assert "$8 for Premium, paid on a page of Stripe" in page
    assert page.count('action="/billing/pay/"') == 1  # no banner above it that says the same


def test_after_paying_the_page_says_that_nothing_is_open_though_no_webhook_came(published, account, ana):
    owe(published, account)
    shop.use_card(published, account, "pm_card_visa")
    published.call("POST", f"/v1/invoices/{InvoiceMirror.objects.get(status='open').pk}/pay")
    page = at(ana).get("/billing/pay/").content.decode()
    assert "Nothing is open" in page
    assert FAILED not in at(ana).get("/chat/").content.decode()


def test_a_bank_that_asks_has_words_of_its_own(published, account, ana):
    owe(published, account, card="pm_card_authenticationRequired")
    page = at(ana).get("/settings/plan/").content.decode()
    assert "Your bank wants you to confirm the payment of $8." in page
    assert "Confirm the payment" in page
    assert FAILED not in page


def test_after_grace_the_page_says_what_stopped_and_that_nothing_is_lost(published, account, ana):
    when = owe(published, account)
    later = when + timedelta(days=8)
    trouble = dunning.find_trouble(account, now=later)
    assert (trouble.kind, trouble.until, trouble.fallback) == ("failed", None, "Free")
    BillingAccount.objects.update(delinquent_since=shop.now() - timedelta(days=8))
    account.refresh_from_db()
    entitlements_now = entitlements.plan_for(account, now=shop.now() + timedelta(days=60))
    assert entitlements_now.key == "free"
    page = at(ana).get("/settings/plan/").content.decode()
    assert "Premium has stopped, and you are on the Free plan. Everything you wrote is still there." in page


def test_in_french_it_is_french(published, account, ana):
    owe(published, account)
    client = at(ana)
    page = client.get("/settings/plan/", headers={"Accept-Language": "fr"}).content.decode()
    assert "Payer maintenant" in page
    assert "n’a pas abouti" in page


def test_who_is_held_reads_why_and_has_nothing_to_press(published, account, ana):
    shop.buy(account)
    BillingAccount.objects.update(hold_reason="dispute")
    page = at(ana).get("/chat/").content.decode()
    assert "One of your payments is disputed at your bank." in page
    assert 'action="/billing/pay/"' not in page
    BillingAccount.objects.update(hold_reason="staff")
    assert "To ask why, write to hello@causerie.local." in at(ana).get("/chat/").content.decode()


def test_there_is_nothing_to_pay_where_all_is_paid(published, account):
    shop.buy(account)
    with pytest.raises(NothingToPay):
        dunning.open_bill(account, now=shop.now())
