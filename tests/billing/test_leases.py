"""Who may look, one at a time: what was fetched under a lease that somebody took meanwhile is written by nobody."""

from datetime import timedelta

import pytest

from apps.billing import fetching, leases, stripe_gateway, sync
from apps.billing.models import SubscriptionMirror
from tests.support import shop

pytestmark = pytest.mark.django_db


def test_what_was_fetched_before_somebody_else_took_the_lease_is_not_written(published, account):
    shop.buy(account)
    paid = SubscriptionMirror.objects.get()
    late = leases.claim(account.pk, now=shop.now())
    old = fetching.fetch(account, stripe_gateway.patient(), lambda: None)
    shop.change(published, paid.pk, cancel_at_period_end="true")
    taken = leases.claim(account.pk, now=shop.now() + leases.LENGTH + timedelta(seconds=1))
    new = fetching.fetch(account, stripe_gateway.patient(), lambda: None)
    sync.apply(taken, account.stripe_customer_id, new, now=shop.now())
    with pytest.raises(leases.LeaseLost):
        sync.apply(late, account.stripe_customer_id, old, now=shop.now())
    paid.refresh_from_db()
    assert paid.cancel_at_period_end is True


def test_what_was_fetched_of_another_customer_is_not_written(published, account):
    shop.buy(account)
    lease = leases.claim(account.pk, now=shop.now())
    found = fetching.fetch(account, stripe_gateway.patient(), lambda: None)
    shop.change(published, SubscriptionMirror.objects.get().pk, cancel_at_period_end="true")
    with pytest.raises(leases.LeaseLost):
        sync.apply(lease, "cus_another", found, now=shop.now())
    assert SubscriptionMirror.objects.get().cancel_at_period_end is False
