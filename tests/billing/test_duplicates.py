"""A plan that was bought twice by mistake."""

import pytest

from apps.accounts.models import AuditEntry
from apps.billing import checkout, entitlements, outbox
from apps.billing.models import (
    CheckoutAttempt,
    DriftItem,
    InvoiceMirror,
    RefundMirror,
    RefundRequest,
    StripeOutbox,
    SubscriptionMirror,
)
from tests.support import shop

pytestmark = pytest.mark.django_db


def pay_two_pages(account):
    """Two payment pages that are open at once, as when an answer of Stripe's got lost; the person pays both."""
    first = checkout.open_checkout(account, "premium", "month", "usd", now=shop.now())
    CheckoutAttempt.objects.update(state="expired")
    second = checkout.open_checkout(account, "premium_plus", "month", "usd", now=shop.now())
    for url in (first, second):
        assert shop.pay(url).status_code == 303


def test_the_newest_stays_and_the_money_of_the_other_goes_back(published, account):
    pay_two_pages(account)
    shop.look(account)
    kept = SubscriptionMirror.objects.get(plan="premium_plus")
    ended = SubscriptionMirror.objects.get(plan="premium")
    assert entitlements.plan_for(account, now=shop.now()).key == "premium_plus"
    assert DriftItem.objects.get().kind == "multiple_live"
    request = RefundRequest.objects.get()
    assert (request.amount_minor, request.why, request.state, request.asked_by) == (800, "duplicate", "approved", None)
    entry = AuditEntry.objects.get(action="subscription.bought_twice")
    assert (entry.actor, entry.subject) == (None, account.owner)
    assert entry.details == {"ended": ended.pk, "kept": kept.pk, "given_back_minor": 800, "currency": "usd"}
    outbox.send_due(clock=shop.now)
    shop.look(account)
    ended.refresh_from_db()
    kept.refresh_from_db()
    assert (ended.status, kept.status) == ("canceled", "active")
    assert (RefundMirror.objects.get().amount_minor, RefundRequest.objects.get().state) == (800, "done")
    assert DriftItem.objects.get().fixed_at is not None
    assert entitlements.plan_for(account, now=shop.now()).key == "premium_plus"


def test_looking_again_before_it_is_done_wants_nothing_more(published, account):
    pay_two_pages(account)
    for _look in range(3):
        shop.look(account)
    assert StripeOutbox.objects.filter(kind="cancel_subscription").count() == 1
    assert StripeOutbox.objects.filter(kind="refund").count() == 1
    assert AuditEntry.objects.filter(action="subscription.bought_twice").count() == 1


def test_the_catalogue_may_leave_it_to_a_person(published, account, settings, tmp_path):
    path = tmp_path / "tell.toml"
    path.write_text(settings.CATALOGUE_PATH.read_text().replace('bought_twice = "refund"', 'bought_twice = "tell"'))
    settings.CATALOGUE_PATH = path
    pay_two_pages(account)
    shop.look(account)
    assert DriftItem.objects.get().kind == "multiple_live"
    assert not RefundRequest.objects.exists()
    assert not StripeOutbox.objects.filter(kind="cancel_subscription").exists()


def test_what_somebody_made_in_the_dashboard_is_only_shown(published, account):
    shop.buy(account)
    shop.subscribe(published, account, "premium_plus_month_usd", card="pm_card_visa")
    shop.look(account)
    assert DriftItem.objects.get().kind == "multiple_live"
    assert SubscriptionMirror.objects.filter(status="active").count() == 2
    assert not StripeOutbox.objects.filter(kind="cancel_subscription").exists()
    assert InvoiceMirror.objects.count() == 2
