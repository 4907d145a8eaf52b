"""Movements of one customer, as metrics.md works them out; ids are those of its test vectors."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.reporting import days, netting
from apps.reporting.netting import State

DAY = datetime(2026, 6, 1, 10, 0, tzinfo=UTC)
DOLLAR = 1_000_000
BIG, SMALL, YEARLY = 40 * DOLLAR, 8 * DOLLAR, 7 * DOLLAR


def minutes(many):
    return timedelta(minutes=many)


def state(at, mrr, subscription="a", plan="premium", cause="checkout", interval="month"):
    return State(at, subscription, mrr, plan, interval, cause)


def moves(*states, held=(), has_paid=False):
    before = {one.subscription: one for one in held}
    found = netting.movements_of(before, states, has_paid=has_paid, day_of=days.day_of)
    return [(one.type, one.delta_micro / DOLLAR) for one in found]


OLD = state(DAY - timedelta(days=40), SMALL)
V3 = {
    "gold": state(DAY, 166_666_667, "gold"),
    "silver": state(DAY + timedelta(days=9), 60 * DOLLAR, "silver"),
    "no silver": state(DAY + timedelta(days=39), 0, "silver", cause="voluntary"),
    "no gold": state(DAY + timedelta(days=365), 0, "gold", cause="voluntary"),
    "gold again": state(DAY + timedelta(days=500), 150 * DOLLAR, "other"),
}


@pytest.mark.parametrize(
    ("held", "states", "expected"),
    [
        pytest.param((), [OLD], [("new", 8)], id="first ever"),
        pytest.param((), list(V3.values()), [("new", 166.666667), ("expansion", 60), ("contraction", -60),
                     ("churn", -166.666667), ("reactivation", 150)], id="V3a-V3e"),
        pytest.param([OLD], [state(DAY, BIG, plan="premium_plus", cause="upgrade")], [("expansion", 32)], id="C4"),
        pytest.param([OLD], [state(DAY, YEARLY, cause="downgrade")], [("contraction", -1)], id="C5"),
        pytest.param([OLD], [state(DAY, 0, cause="voluntary"), state(DAY + minutes(20), BIG, "b")],
                     [("expansion", 32)], id="C6"),
        pytest.param([OLD], [state(DAY, 0, cause="voluntary"), state(DAY + minutes(90), BIG, "b")],
                     [("churn", -8), ("reactivation", 40)], id="C7"),
        pytest.param((), [state(DAY, SMALL), state(DAY + minutes(59), 0, cause="staff")], [], id="C8"),
        pytest.param((), [state(DAY, SMALL), state(DAY + minutes(60), 0, cause="staff")], [("new", 8), ("churn", -8)],
                     id="an hour is over after 60 minutes"),
        pytest.param((), [state(DAY, 0), state(DAY + timedelta(days=14), SMALL)], [("new", 8)], id="C14"),
        pytest.param([OLD], [state(DAY, 0, cause="paused"), state(DAY + timedelta(days=61), SMALL, cause="resumed")],
                     [("churn", -8), ("reactivation", 8)], id="C29"),
        pytest.param([state(DAY, BIG)], [state(DAY, SMALL, "b"), state(DAY + timedelta(hours=2), 0, "b")],
                     [("expansion", 8), ("contraction", -8)], id="C31 seen late"),
        pytest.param([state(DAY, BIG)], [state(DAY, SMALL, "b"), state(DAY + minutes(30), 0, "b")], [],
                     id="C31 within the hour"),
        pytest.param([OLD], [state(DAY, 10 * DOLLAR, cause="price_migration")], [("expansion", 2)], id="C32"),
        pytest.param([OLD], [state(DAY, SMALL, cause="recovered")], [], id="C12 C30 C33 the money is the same"),
    ],
)  # fmt: skip
def test_what_happens_to_a_customer_is_so_many_movements(held, states, expected):
    assert moves(*states, held=held, has_paid=bool(held)) == expected


def test_who_paid_before_comes_back():
    assert moves(state(DAY, SMALL), has_paid=True) == [("reactivation", 8)]


def test_c13_c32_a_movement_names_its_cause_and_the_plans_around_it():
    lost = state(DAY, 0, cause="payment_failed")
    (found,) = netting.movements_of({"a": OLD}, [lost], has_paid=True, day_of=days.day_of)
    assert (found.type, found.cause, found.from_plan, found.to_plan) == ("churn", "payment_failed", "premium", "")
    assert (found.plan, found.interval, found.at) == ("premium", "month", DAY)


def test_c6_the_cause_is_of_the_change_that_decided():
    ended, bought = state(DAY, 0, cause="voluntary"), state(DAY + minutes(20), BIG, "b", plan="premium_plus")
    (found,) = netting.movements_of({"a": OLD}, [ended, bought], has_paid=True, day_of=days.day_of)
    assert (found.cause, found.from_plan, found.to_plan) == ("checkout", "premium", "premium_plus")


def test_nothing_is_netted_over_the_end_of_a_day():
    late = datetime(2026, 6, 1, 23, 50, tzinfo=UTC)
    assert moves(state(late, SMALL), state(late + minutes(20), 0)) == [("new", 8), ("churn", -8)]


STATES = st.lists(
    st.tuples(st.integers(0, 4000), st.sampled_from("abc"), st.sampled_from([0, 7, 8, 33, 40])), max_size=40
)


@given(STATES)
def test_any_history_of_movements_sums_to_the_mrr_of_every_day(history):
    states = [State(DAY + minutes(9 * at), key, mrr) for at, key, mrr in sorted(history)]
    found = list(netting.movements_of({}, states, has_paid=False, day_of=days.day_of))
    for day in {days.day_of(one.at) for one in states}:
        latest = {one.subscription: one.mrr_micro for one in states if days.day_of(one.at) <= day}
        assert sum(one.delta_micro for one in found if days.day_of(one.at) <= day) == sum(latest.values())
    assert all(one.delta_micro for one in found)
    assert [one.type for one in found].count("new") <= 1
