"""F24 through the local Stripe: who leaves while subscribed is cancelled there first, and erased when that is seen."""

from datetime import timedelta

import pytest
from django.core import mail

from apps.billing import entitlements, outbox
from apps.billing.models import StripeOutbox, SubscriptionMirror
from apps.privacy import erasures
from apps.privacy.models import DataRequest
from tests import cast
from tests.support import shop

pytestmark = pytest.mark.django_db


def test_f24_stripe_is_cancelled_then_seen_then_everything_is_erased(published):
    ben = cast.ben()
    account = entitlements.account_for(ben, now=shop.now())
    shop.buy(account)
    request = erasures.ask_erasure(ben, now=shop.now())
    assert erasures.continue_erasure(request.pk, now=shop.now()) is False
    assert published.objects("subscription")[0]["status"] == "active"

    assert outbox.send_due(clock=shop.now) == 2  # the cancellation and the receipt; no letter about a plan that ends
    assert published.objects("subscription")[0]["status"] == "canceled"
    assert erasures.continue_erasure(request.pk, now=shop.now() + timedelta(minutes=1)) is False
    ben.refresh_from_db()
    assert ben.email == "ben@example.org"

    shop.look(account)
    assert erasures.continue_erasure(request.pk, now=shop.now() + timedelta(minutes=2)) is True
    ben.refresh_from_db()
    account.refresh_from_db()
    assert ben.email == f"left-{ben.pk}@invalid"
    assert account.erased_at is not None
    assert account.invoices.get().amount_paid_minor == 8_00
    assert DataRequest.objects.get(pk=request.pk).receipt["stripe-subscriptions"] == 1
    assert entitlements.plan_for(account, now=shop.now()).key == "free"


def leave(account, at=None):
    """Ask to leave, and go on until it is done; say whether it came to an end."""
    when = at or shop.now()
    request = erasures.ask_erasure(account.owner, now=when)
    for minutes in range(1, 5):
        outbox.send_due(clock=lambda: when)
        shop.look(account, at=when)
        if erasures.continue_erasure(request.pk, now=when + timedelta(minutes=minutes)):
            return True
    return False


def alive(sandbox, account):
    """What Stripe may still bill."""
    own = [one for one in sandbox.objects("subscription") if one["customer"] == account.stripe_customer_id]
    return [one["status"] for one in own if one["status"] not in ("canceled", "incomplete_expired")]


def subscriber(sandbox, **fields):
    ben = cast.ben()
    account = entitlements.account_for(ben, now=shop.now())
    shop.become_customer(account)
    shop.subscribe(sandbox, account, "premium_month_usd", card="pm_card_visa")
    if fields:
        shop.look(account)
        shop.change(sandbox, SubscriptionMirror.objects.get().pk, **fields)
    shop.look(account)
    return account


def test_f24_a_trial_is_ended_too_and_never_charged(published):
    account = subscriber(published, trial_end=str(int((shop.now() + timedelta(days=7)).timestamp())))
    assert SubscriptionMirror.objects.get().status == "trialing"
    assert leave(account) is True
    assert alive(published, account) == []


def test_f24_who_owes_leaves_all_the_same_and_is_not_dunned_any_more(published, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    account = subscriber(published)
    at = SubscriptionMirror.objects.get().current_period_end + timedelta(hours=2)
    shop.use_card(published, account, "pm_card_chargeCustomerFail")
    shop.pass_time(published, account, to=at)
    shop.look(account, at=at)
    outbox.send_due(clock=lambda: at)
    mail.outbox = []
    assert SubscriptionMirror.objects.get().status == "past_due"
    assert leave(account, at) is True
    assert alive(published, account) == []
    assert mail.outbox == []
    assert not StripeOutbox.objects.filter(kind="mail").exists()


def test_f24_a_planned_change_does_not_bring_the_subscription_back(published):
    account = subscriber(published)
    paid = SubscriptionMirror.objects.get()
    made = published.call("POST", "/v1/subscription_schedules", {"from_subscription": paid.pk})
    assert made.status_code == 200, made.text
    shop.look(account)
    assert SubscriptionMirror.objects.get().has_schedule is True
    assert leave(account) is True
    assert alive(published, account) == []
    schedule = published.call("GET", f"/v1/subscription_schedules/{made.json()['id']}").json()
    assert schedule["status"] == "canceled"


def test_f24_a_second_subscription_of_what_is_used_is_ended_as_well(published):
    account = subscriber(published)
    shop.subscribe(published, account, "premium_plus_month_usd", card="pm_card_visa")
    shop.look(account)
    assert len(alive(published, account)) == 2
    assert leave(account) is True
    assert alive(published, account) == []
