"""Each account is one customer at Stripe."""

import pytest

from apps.billing import customers, stripe_gateway
from apps.billing.models import CheckoutAttempt
from tests import build, cast
from tests.support import shop

pytestmark = pytest.mark.django_db


def ensure(account, key):
    return customers.ensure(account, stripe_gateway.patient(), key=key, now=shop.now())


def try_to_buy(account):
    CheckoutAttempt.objects.create(
        account=account, lookup_key="x", state="expired", created_at=shop.now(), expires_at=shop.now()
    )


def test_is_made_once(sandbox, account):
    assert ensure(account, "one") == ensure(account, "two")
    (made,) = sandbox.objects("customer")
    assert (made["email"], made["metadata"]) == ("ana@example.org", {"account_id": str(account.pk)})


def test_one_whose_answer_got_lost_a_day_ago_is_found_by_its_metadata(sandbox, account):
    lost = stripe_gateway.patient().create_customer("ana@example.org", str(account.pk), key="forgotten")
    for _attempt in range(2):
        try_to_buy(account)
    assert ensure(account, "new") == lost
    assert len(sandbox.objects("customer")) == 1


def test_somebody_elses_customer_with_the_same_address_is_not_taken(sandbox, account):
    other = build.account(owner=cast.mallory())
    theirs = stripe_gateway.patient().create_customer("ana@example.org", str(other.pk), key="theirs")
    for _attempt in range(2):
        try_to_buy(account)
    assert ensure(account, "new") != theirs
    assert len(sandbox.objects("customer")) == 2
