"""F24 through the local Stripe: who leaves while subscribed is cancelled there first, and erased when that is seen."""

from datetime import timedelta

import pytest

from apps.billing import entitlements, outbox
from apps.privacy import erasures
from apps.privacy.models import DataRequest
from tests import build, cast
from tests.support import shop

pytestmark = pytest.mark.django_db


def test_f24_stripe_is_cancelled_then_seen_then_everything_is_erased(published):
    ben = cast.ben()
    account = entitlements.account_for(ben, now=shop.now())
    shop.buy(account)
    request = erasures.ask_erasure(ben, build.PASSWORD, now=shop.now())
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
