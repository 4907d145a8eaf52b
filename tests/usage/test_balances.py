from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from apps.billing import plans
from apps.billing.meters import Meter
from apps.usage import balances, ledger
from apps.usage.limits import Demand
from tests import build
from tests.usage.test_ledger import used

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PLAN = build.plan(
    models=("chat-small", "chat-large"),
    limits=[
        build.limit(amount=5),
        build.limit(amount=None, window="7d"),
        build.limit(models=("chat-large",), amount=0),
    ],
)


def answer(account, number, *, now=NOW, **facts):
    demand = Demand(PLAN, "chat-small", {Meter.MESSAGES: 1})
    build.act(ledger.reserve, account, UUID(int=number), demand, timeout_s=60, now=now)
    build.act(ledger.settle, UUID(int=number), used(occurred_at=now, **facts), now=now)


def test_before_first_use_all_is_left_and_no_window_is_open():
    first, second, third = balances.remaining(build.account(), plan=PLAN, now=NOW)
    assert (first.meter, first.models, first.limit, first.used, first.left) == (
        "messages",
        ("chat-small",),
        5,
        0,
        5,
    )
    assert (first.resets_at, first.window_s, first.used_percent) == (None, 10_800, 0)
    assert (second.limit, second.left, second.used_percent) == (None, None, 0)
    assert (third.limit, third.left, third.used_percent) == (0, 0, 100)


def test_what_a_running_answer_has_set_aside_counts_as_used():
    account = build.account()
    answer(account, 1)
    demand = Demand(PLAN, "chat-small", {Meter.MESSAGES: 1})
    build.act(ledger.reserve, account, UUID(int=2), demand, timeout_s=60, now=NOW)
    first, second, _third = balances.remaining(account, plan=PLAN, now=NOW)
    assert (first.used, first.left, first.resets_at, first.used_percent) == (2, 3, NOW + timedelta(hours=3), 40)
    assert (second.used, second.left) == (2, None)


def test_a_window_that_is_over_counts_no_more():
    account = build.account()
    answer(account, 1)
    first, second, _third = balances.remaining(account, plan=PLAN, now=NOW + timedelta(hours=3))
    assert (first.used, first.left, first.resets_at) == (0, 5, None)
    assert second.used == 1


def test_is_low_from_eighty_percent_on():
    account = build.account()
    for number in range(1, 5):
        answer(account, number)
        assert balances.remaining(account, plan=PLAN, now=NOW)[0].is_low == (number == 4)


def test_the_plan_that_lifts_a_limit_is_named_where_there_is_one():
    first, second, third = balances.remaining(build.account(), plan=PLAN, now=NOW)
    assert balances.lifting_plan(PLAN, first) == "premium"
    assert balances.lifting_plan(PLAN, second) is None
    assert balances.lifting_plan(PLAN, third) == "premium"


def test_what_another_account_used_counts_nowhere_else():
    answer(build.account(), 1)
    other = build.account(owner=build.person(email="other@example.org"))
    assert [balance.used for balance in balances.remaining(other, plan=PLAN, now=NOW)] == [0, 0, 0]


def test_limits_of_models_that_nothing_serves_are_not_shown(settings):
    settings.OPENAI_API_KEY = ""
    account, plan = build.account(), plans.catalogue().plans["premium"]
    models = [balance.models for balance in balances.shown(account, plan=plan, now=build.NOW)]
    assert models == [("chat-small",)] * 2
    settings.OPENAI_API_KEY = "sk-set-up"
    models = [balance.models for balance in balances.shown(account, plan=plan, now=build.NOW)]
    assert models == [("chat-small",)] * 2 + [("chat-large",)] * 2
