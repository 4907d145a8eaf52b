import pytest

from apps.billing.meters import Meter
from apps.usage import limits
from apps.usage.limits import Demand
from tests import build

SMALL_3H = build.limit()
SMALL_WEEK = build.limit(window="7d", amount=100)
LARGE_3H = build.limit(models=("chat-large",), amount=0)
ALL_TOKENS = build.limit(meter=Meter.TOKENS, models=(), amount=5_000, window="1d")
PLAN = build.plan(
    models=("chat-small", "chat-large"), limits=[SMALL_3H, SMALL_WEEK, LARGE_3H, ALL_TOKENS], concurrency=2
)


def test_limits_of_a_model_are_its_own_those_of_all_models_and_the_slots():
    assert [limit.key for limit in limits.limits_of(PLAN, "chat-small")] == [
        "messages:chat-small:3h",
        "messages:chat-small:7d",
        "tokens:*:1d",
        "concurrency:*:",
    ]


def test_slots_are_a_limit_without_a_window():
    slots = limits.concurrency_limit(PLAN)
    assert (slots.amount, slots.window, slots.fallback_model) == (2, None, None)


def test_a_demand_meets_limits_in_the_order_in_which_they_are_locked():
    demand = Demand(PLAN, "chat-small", {Meter.TOKENS: 900, Meter.MESSAGES: 1})
    assert [(limit.key, amount) for limit, amount in limits.met_by(demand)] == [
        ("concurrency:*:", 1),
        ("messages:chat-small:3h", 1),
        ("messages:chat-small:7d", 1),
        ("tokens:*:1d", 900),
    ]


def test_a_demand_without_ceilings_meets_only_the_slots_and_needs_no_plan_for_the_model():
    demand = Demand(PLAN, "chat-huge", {})
    assert [limit.key for limit, _amount in limits.met_by(demand)] == ["concurrency:*:"]
    assert limits.is_included(demand)


def test_a_model_outside_the_plan_is_not_included():
    assert not limits.is_included(Demand(PLAN, "chat-huge", {Meter.MESSAGES: 1}))


def test_what_no_limit_speaks_of_is_not_included():
    plan = build.plan(limits=[SMALL_3H])
    assert limits.is_included(Demand(plan, "chat-small", {Meter.MESSAGES: 1, Meter.TOKENS: 9}))
    assert not limits.is_included(Demand(plan, "chat-small", {Meter.IMAGES: 1}))


def test_who_pays_as_they_go_has_the_larger_of_two_terms_and_keeps_what_the_plan_gives():
    developer = build.plan(
        key="developer", limits=(), models=("chat-large",), queue="runs.premium", concurrency=20, output_tokens=100,
        api_requests_per_minute=600, api_tokens_per_minute=10,
    )  # fmt: skip
    terms = limits.paying_as_they_go(PLAN, developer)
    assert (terms.key, terms.models, terms.limits) == (PLAN.key, PLAN.models, PLAN.limits)
    assert (terms.queue, terms.concurrency, terms.output_tokens) == ("runs.premium", 20, 384)
    assert (terms.api_requests_per_minute, terms.api_tokens_per_minute) == (600, 20_000)


def test_a_ceiling_cannot_be_negative():
    with pytest.raises(ValueError, match="cannot be negative"):
        Demand(PLAN, "chat-small", {Meter.MESSAGES: -1})
