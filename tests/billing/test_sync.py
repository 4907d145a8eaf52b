"""Stripe's truth becomes ours, through the sandbox over HTTP."""

import pytest

from apps.billing import entitlements
from apps.billing.models import SubscriptionState
from tests.support import shop

pytestmark = pytest.mark.django_db


def test_a_paid_month_of_premium_gives_premium(published, account):
    answer = shop.buy(account)
    assert answer.status_code == 303
    assert entitlements.plan_for(account, now=shop.now()).key == "premium"
    state = SubscriptionState.objects.get()
    assert (state.status, state.plan_id, state.interval) == ("active", "premium", "month")
    assert (state.mrr_micro, state.currency, state.cause) == (8_000_000, "usd", "checkout")
