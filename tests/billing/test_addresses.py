"""apps/billing/addresses.py: Stripe writes to the address that a person has now."""

import pytest

from apps.accounts.models import User
from apps.billing import addresses, entitlements, outbox
from apps.billing.models import BillingAccount, StripeOutbox
from tests import cast
from tests.support import shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(published):
    made = entitlements.account_for(cast.ana(), now=shop.now())
    shop.become_customer(made)
    return made


def move(email):
    User.objects.update(email=email)


def told(sandbox):
    return sandbox.objects("customer")[0]["email"]


def test_a_new_address_is_told_once(published, account):
    assert addresses.want_told(now=shop.now()) == 0
    move("ana@new.example.org")
    assert [addresses.want_told(now=shop.now()) for _ in range(2)] == [1, 0]
    assert outbox.send_due(clock=shop.now) == 1
    assert told(published) == "ana@new.example.org"
    assert addresses.want_told(now=shop.now()) == 0


def test_who_goes_back_to_an_earlier_address_is_told_too(published, account):
    for email in ("ana@new.example.org", "ana@example.org", "ana@new.example.org", "ana@example.org"):
        move(email)
        assert addresses.want_told(now=shop.now()) == 1
        outbox.send_due(clock=shop.now)
        assert told(published) == email


def test_who_left_is_told_of_no_more(published, account):
    move("left@invalid")
    BillingAccount.objects.update(erased_at=shop.now())
    assert addresses.want_told(now=shop.now()) == 0
    assert not StripeOutbox.objects.exists()
