from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.db import transaction

from apps.billing.meters import Meter
from apps.core.errors import Invalid, PaymentNeeded
from apps.usage import caps, ledger
from apps.usage.limits import Demand
from apps.usage.models import CreditAccount, SpendingCap, UsageBucket, UsageReservation
from tests import build
from tests.usage.test_ledger import used
from tests.usage.test_ledger_races import at_once

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
KEY, OTHER_KEY = UUID(int=77), UUID(int=78)
PLAN = build.plan(models=(), limits=[])
db = pytest.mark.django_db


def hold(account, number, most_micro, *, key=None, now=NOW):
    """What the engine sets aside for a call of the API: slot, caps, money; whole or nothing."""
    met = caps.caps_of(account, key, "usd")
    demand = Demand(PLAN, "chat-small", {Meter.SPENDING: most_micro}, met)
    with transaction.atomic():
        ledger.reserve(account, UUID(int=number), demand, timeout_s=60, now=now)
        ledger.reserve_payment(account, UUID(int=number), most_micro, currency="usd", timeout_s=60, now=now)


def call(account, number, *, most_micro, price_micro, key=None, now=NOW):
    hold(account, number, most_micro, key=key, now=now)
    return build.act(ledger.settle, UUID(int=number), used(channel="api", price_micro=price_micro, key_id=key), now=now)


@pytest.fixture
def account(db):
    found = build.account()
    build.credit(account=found, amount_micro=10_000_000)
    return found


def test_spending_is_counted_without_a_cap_by_account_and_key(account):
    call(account, 1, most_micro=700, price_micro=450, key=KEY)
    call(account, 2, most_micro=700, price_micro=50)
    assert caps.spent_micro(account, [None, KEY, OTHER_KEY], now=NOW) == {None: 500, KEY: 450, OTHER_KEY: 0}


def test_a_cap_knows_what_was_spent_before_it_was_set(account):
    call(account, 1, most_micro=900, price_micro=900)
    caps.set_cap(account, 1_000, now=NOW)
    with pytest.raises(PaymentNeeded) as refused:
        hold(account, 2, 101)
    assert refused.value.code == "spending_cap_reached"
    assert refused.value.details() == {
        "limit": 1_000,
        "used": 900,
        "resets_at": "2026-04-01T00:00:00Z",
        "lifted_by": "spending_cap",
        "meter": "spending",
        "currency": "usd",
    }
    assert str(refused.value.sentence) == (
        "This could cost more than is left of the 0.001 USD that you let be spent in a month. "
        "You can go on from 1 April, 00:00 UTC. You can raise this cap in your settings."
    )
    hold(account, 2, 100)


def test_a_refused_call_holds_nothing(account):
    caps.set_cap(account, 1_000, now=NOW)
    with pytest.raises(PaymentNeeded):
        hold(account, 1, 1_001)
    assert set(UsageBucket.objects.values_list("reserved", flat=True)) <= {0}
    assert not UsageReservation.objects.exists()
    assert CreditAccount.objects.get().reserved_micro == 0


def test_a_cap_of_nothing_refuses_what_costs_and_lets_pass_what_is_free(account):
    caps.set_cap(account, 0, now=NOW)
    with pytest.raises(PaymentNeeded) as refused:
        hold(account, 1, 1)
    assert (refused.value.refusal.limit, refused.value.refusal.used) == (0, 0)
    hold(account, 2, 0)


def test_a_keys_cap_is_its_own(account):
    caps.set_cap(account, 500, key_id=KEY, now=NOW)
    call(account, 1, most_micro=500, price_micro=500, key=KEY)
    with pytest.raises(PaymentNeeded) as refused:
        hold(account, 2, 1, key=KEY)
    assert (refused.value.code, refused.value.refusal.lifted_by) == ("key_cap_reached", "spending_cap")
    assert "that you let this key spend in a month" in str(refused.value.sentence)
    call(account, 3, most_micro=500, price_micro=500, key=OTHER_KEY)
    assert caps.spent_micro(account, [None, KEY], now=NOW) == {None: 1_000, KEY: 500}


def test_the_accounts_cap_counts_every_key(account):
    caps.set_cap(account, 1_000, now=NOW)
    call(account, 1, most_micro=600, price_micro=600, key=KEY)
    with pytest.raises(PaymentNeeded) as refused:
        hold(account, 2, 401, key=OTHER_KEY)
    assert refused.value.code == "spending_cap_reached"


def test_a_month_begins_anew_on_the_first_in_utc(account):
    caps.set_cap(account, 1_000, now=NOW)
    last = datetime(2026, 3, 31, 23, 59, 59, tzinfo=UTC)
    call(account, 1, most_micro=1_000, price_micro=1_000, now=last)
    with pytest.raises(PaymentNeeded):
        hold(account, 2, 1, now=last)
    call(account, 3, most_micro=1_000, price_micro=250, now=last + timedelta(seconds=1))
    windows = UsageBucket.objects.filter(limit_key="spending:*:month").order_by("window_start")
    found = [(row.window_start.month, row.window_end.month, row.settled) for row in windows]
    assert found == [(3, 4, 1_000), (4, 5, 250)]
    assert caps.spent_micro(account, [None], now=last + timedelta(days=1)) == {None: 250}


def test_a_call_that_lasts_over_the_end_of_the_month_is_paid_where_it_began(account):
    last = datetime(2026, 3, 31, 23, 59, tzinfo=UTC)
    hold(account, 1, 800, now=last)
    build.act(ledger.settle, UUID(int=1), used(channel="api", price_micro=300), now=last + timedelta(minutes=2))
    assert caps.spent_micro(account, [None], now=last) == {None: 300}
    assert caps.spent_micro(account, [None], now=last + timedelta(minutes=2)) == {None: 0}


def test_december_ends_with_the_year(account):
    call(account, 1, most_micro=5, price_micro=5, now=datetime(2026, 12, 31, 12, tzinfo=UTC))
    row = UsageBucket.objects.get(limit_key="spending:*:month")
    assert (row.window_start, row.window_end) == (datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))


def test_taking_a_cap_away_lets_everything_again(account):
    caps.set_cap(account, 10, now=NOW)
    caps.set_cap(account, None, now=NOW)
    assert not SpendingCap.objects.exists()
    hold(account, 1, 1_000)


@pytest.mark.parametrize("amount_micro", [-1, caps.MOST_MICRO + 1])
def test_an_amount_that_makes_no_sense_is_refused_and_the_old_one_stays(account, amount_micro):
    caps.set_cap(account, 5, now=NOW)
    with pytest.raises(Invalid) as refused:
        caps.set_cap(account, amount_micro, now=NOW)
    assert refused.value.field == "cap"
    assert caps.amounts_of(account) == {None: 5}


@pytest.mark.django_db(transaction=True)
def test_calls_that_race_for_the_last_of_a_cap_do_not_pass_it():
    account = build.account()
    build.credit(account=account, amount_micro=10_000_000)
    caps.set_cap(account, 700, now=NOW)

    def one(number):
        try:
            hold(account, number + 1, 100)
        except PaymentNeeded as refused:
            return refused.code
        return "held"

    assert sorted(at_once(20, one)) == ["held"] * 7 + ["spending_cap_reached"] * 13
    assert UsageBucket.objects.get(limit_key="spending:*:month").reserved == 700
    assert CreditAccount.objects.get().reserved_micro == 700
