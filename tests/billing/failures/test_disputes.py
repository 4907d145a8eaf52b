"""F13: somebody tells their bank that they did not pay us."""

import pytest

from apps.billing.models import DisputeMirror, SubscriptionMirror
from tests.support import shop
from tests.support.storm import plan_of


@pytest.fixture
def disputed(storm):
    """An account whose payment was disputed, and the dispute's id."""
    account = storm.bought("ana@example.org")
    assert plan_of(account) == "premium"
    (charge,) = [one for one in storm.stripe.objects("charge") if one["customer"] == account.stripe_customer_id]
    storm.act(f"charges/{charge['id']}/dispute", reason="fraudulent")
    storm.settle()
    account.refresh_from_db()
    return account, DisputeMirror.objects.get().pk


def test_f13_a_dispute_holds_the_account_from_its_first_moment(storm, disputed):
    account, _key = disputed
    assert DisputeMirror.objects.get().status == "needs_response"
    assert (account.hold_reason, plan_of(account)) == ("dispute", "free")
    assert account.snapshots.latest("version").reason == "hold_dispute"
    assert SubscriptionMirror.objects.get().status == "active"  # nothing is cancelled while the bank thinks


@pytest.mark.parametrize("outcome", ["won", "prevented"])
def test_f13_what_ends_well_gives_everything_back(storm, disputed, outcome):
    account, key = disputed
    storm.act(f"disputes/{key}/decide", outcome=outcome)
    storm.settle()
    account.refresh_from_db()
    assert (DisputeMirror.objects.get().status, account.hold_reason) == (outcome, "")
    assert plan_of(account) == "premium"


def test_f13_what_is_lost_ends_the_subscription_and_a_second_one_has_no_trial(storm, disputed):
    account, key = disputed
    storm.act(f"disputes/{key}/decide", outcome="lost")
    storm.settle()
    account.refresh_from_db()
    assert storm.subscription(account)["status"] == "canceled"
    assert SubscriptionMirror.objects.get().status == "canceled"
    assert (account.hold_reason, plan_of(account)) == ("dispute", "free")
    shop.look(account)
    assert plan_of(account) == "free"
