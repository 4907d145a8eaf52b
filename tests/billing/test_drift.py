"""Whether Stripe and we agree, and what repairs it."""

import pytest
from django.core.management import CommandError, call_command

from apps.billing import drift, entitlements
from apps.billing.models import DriftItem, SubscriptionItemMirror, SubscriptionMirror
from tests import build
from tests.support import shop

pytestmark = pytest.mark.django_db


def kinds(account, *, is_dry=True):
    report = drift.reconcile(account.pk, is_dry=is_dry, clock=shop.now)
    return sorted(one.kind for _owner, one in report.differences)


def test_nothing_differs_after_a_look(published, account):
    shop.buy(account)
    assert kinds(account) == []


def test_a_webhook_that_never_came_is_found_and_repaired(published, account):
    url = shop.checkout.open_checkout(account, "premium", "month", "usd", now=shop.now())
    shop.pay(url)
    account.refresh_from_db()
    assert kinds(account) == ["entitlement_mismatch", "missing_locally"]
    assert not DriftItem.objects.exists()
    assert entitlements.plan_for(account, now=shop.now()).key == "free"
    kinds(account, is_dry=False)
    assert entitlements.plan_for(account, now=shop.now()).key == "premium"
    assert DriftItem.objects.filter(fixed_at=None).count() == 0
    assert DriftItem.objects.exclude(fixed_at=None).count() == 2
    assert kinds(account) == []


def test_a_status_that_changed_unseen(published, account):
    shop.buy(account)
    published.call("DELETE", f"/v1/subscriptions/{SubscriptionMirror.objects.get().pk}")
    assert kinds(account) == ["entitlement_mismatch", "status"]
    assert kinds(account, is_dry=False) == ["entitlement_mismatch", "status"]
    assert entitlements.plan_for(account, now=shop.now()).key == "free"


def test_rows_that_somebody_changed_here(published, account):
    shop.buy(account)
    SubscriptionItemMirror.objects.update(quantity=5)
    SubscriptionMirror.objects.update(current_period_end=None)
    build.subscription(account=account, plan="premium_plus")
    assert kinds(account) == ["entitlement_mismatch", "period", "price"]
    kinds(account, is_dry=False)
    assert kinds(account) == []


def test_a_subscription_that_stripe_does_not_know(published, account):
    shop.buy(account)
    paid = SubscriptionMirror.objects.get()
    SubscriptionMirror.objects.create(
        stripe_subscription_id="sub_ghost",
        account=account,
        status="active",
        plan=paid.plan,
        currency="usd",
        started_at=paid.started_at,
        synced_at=paid.synced_at,
    )
    assert kinds(account) == ["missing_in_stripe"]
    kinds(account, is_dry=False)
    assert SubscriptionMirror.objects.get(pk="sub_ghost").gone_at is not None
    assert kinds(account) == []


def test_a_customer_who_pays_and_belongs_to_nobody(published, account):
    shop.buy(account)
    type(account).objects.update(stripe_customer_id="cus_other")
    report = drift.reconcile(None, is_dry=True, clock=shop.now)
    assert (account.stripe_customer_id, "orphan_customer") in {(owner, one.kind) for owner, one in report.differences}
    assert report.open_high > 0


def test_the_command_says_what_differs_and_fails_while_a_person_is_needed(published, account):
    shop.buy(account)
    said = shop.Quiet()
    call_command("billing_reconcile", "--account", str(account.pk), stdout=said)
    assert said.getvalue() == "1 accounts, 0 differences.\n"
    SubscriptionMirror.objects.update(status="past_due")
    with pytest.raises(CommandError, match=r"1 differences need a person\."):
        call_command("billing_reconcile", "--account", str(account.pk), "--dry-run", stdout=said)
    call_command("billing_reconcile", "--account", str(account.pk), stdout=said)
    assert SubscriptionMirror.objects.get().status == "active"


def test_stripe_being_away_is_said_in_one_sentence(account, settings):
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    with pytest.raises(CommandError, match="The payment service does not answer right now"):
        call_command("billing_reconcile", "--all")
