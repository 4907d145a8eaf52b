from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from apps.billing.meters import Meter
from apps.usage import ledger, sweep
from apps.usage.limits import Demand
from apps.usage.models import CreditAccount, UsageBucket, UsageLedger, UsageReservation
from tests import build

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PLAN = build.plan()


def reserve(account, number, *, now=NOW):
    demand = Demand(PLAN, "chat-small", {Meter.MESSAGES: 1})
    build.act(ledger.reserve, account, UUID(int=number), demand, timeout_s=60, now=now)


def test_gives_back_what_is_over_and_only_that():
    account = build.account()
    reserve(account, 1)
    reserve(account, 2, now=NOW + timedelta(seconds=30))
    assert sweep.expire_reservations(now=NOW + timedelta(seconds=119)) == 0
    assert sweep.expire_reservations(now=NOW + timedelta(seconds=120)) == 2
    assert set(UsageBucket.objects.values_list("reserved", "settled")) == {(1, 0)}
    states = UsageReservation.objects.of_run(UUID(int=1)).values_list("state", flat=True)
    assert set(states) == {"expired"}
    assert not UsageLedger.objects.exists()


def test_a_second_sweep_finds_nothing():
    reserve(build.account(), 1)
    later = NOW + timedelta(hours=1)
    assert sweep.expire_reservations(now=later) == 2
    assert sweep.expire_reservations(now=later) == 0
    assert set(UsageBucket.objects.values_list("reserved", flat=True)) == {0}


def test_works_through_more_than_one_batch(monkeypatch):
    monkeypatch.setattr(sweep, "BATCH", 3)
    account = build.account()
    for number in range(1, 6):
        reserve(account, number)
    assert sweep.expire_reservations(now=NOW + timedelta(hours=1)) == 10
    assert set(UsageBucket.objects.values_list("reserved", flat=True)) == {0}


def test_gives_back_credit_too():
    account = build.account()
    CreditAccount.objects.create(account=account, currency="usd", balance_micro=500)
    build.act(ledger.reserve_payment, account, UUID(int=1), 300, currency="usd", timeout_s=60, now=NOW)
    assert sweep.expire_reservations(now=NOW + timedelta(hours=1)) == 1
    credit = CreditAccount.objects.get()
    assert (credit.balance_micro, credit.reserved_micro) == (500, 0)
