"""What an account may use: the decision, for every mixture of facts."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.billing.access import NOT_PAID, Decision, Granted, Rules, Standing, Subscribed, decide
from apps.billing.catalogue_file import STATUSES
from tests.build import NOW

DAY = timedelta(days=1)
POLICY = {
    "trialing": "plan",
    "active": "plan",
    "past_due": "grace",
    "unpaid": "default",
    "paused": "default",
    "canceled": "default",
    "incomplete": "default",
    "incomplete_expired": "default",
    "paused_collection": "period_end",
}
RULES = Rules("freemium", "free", 7, POLICY, ("guest", "developer"))
PREMIUM = Subscribed("premium", 10, "active", NOW + 20 * DAY)
PLUS = Subscribed("premium_plus", 20, "active", NOW + 20 * DAY)
GOOD = Standing()
GIFT = Granted("premium", 10, NOW - DAY, NOW + 30 * DAY)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("active", Decision("premium", "subscription", "active")),
        ("trialing", Decision("premium", "trial", "trialing")),
        ("unpaid", Decision("free", "default", "unpaid")),
        ("paused", Decision("free", "default", "paused")),
        ("canceled", Decision("free", "default", "canceled")),
        ("incomplete", Decision("free", "default", "incomplete")),
        ("incomplete_expired", Decision("free", "default", "incomplete_expired")),
        ("a word Stripe invents", Decision("free", "default", "a word Stripe invents")),
    ],
)
def test_each_status(status, expected):
    assert decide([replace(PREMIUM, status=status)], [], GOOD, RULES, now=NOW) == expected


def test_nothing_was_bought():
    assert decide([], [], GOOD, RULES, now=NOW) == Decision("free", "default", "no_subscription")


def test_grace_lasts_seven_days_from_the_first_failure():
    late, standing = [replace(PREMIUM, status="past_due")], Standing(delinquent_since=NOW)
    kept = Decision("premium", "subscription", "past_due", NOW + 7 * DAY)
    assert decide(late, [], standing, RULES, now=NOW) == kept
    assert decide(late, [], standing, RULES, now=NOW + 7 * DAY - timedelta(seconds=1)) == kept
    assert decide(late, [], standing, RULES, now=NOW + 7 * DAY) == Decision("free", "default", "past_due")


def test_paused_collection_ends_with_what_was_paid():
    paused = [replace(PREMIUM, is_collection_paused=True)]
    assert decide(paused, [], GOOD, RULES, now=NOW) == Decision("premium", "subscription", "active", NOW + 20 * DAY)
    assert decide(paused, [], GOOD, RULES, now=NOW + 20 * DAY).plan == "free"


def test_paused_collection_may_be_kept_by_the_catalogue():
    keeps = replace(RULES, policy={**POLICY, "paused_collection": "keep"})
    paused = [replace(PREMIUM, is_collection_paused=True)]
    assert decide(paused, [], GOOD, keeps, now=NOW + 40 * DAY) == Decision("premium", "subscription", "active")


def test_a_dispute_holds_whatever_is_paid():
    assert decide([PREMIUM], [], Standing("dispute"), RULES, now=NOW) == Decision("free", "default", "hold_dispute")


def test_of_several_plans_the_highest_counts():
    assert decide([PREMIUM, PLUS], [], GOOD, RULES, now=NOW).plan == "premium_plus"
    assert decide([PREMIUM, replace(PLUS, status="canceled")], [], GOOD, RULES, now=NOW).plan == "premium"


def test_paid_only_says_that_nothing_is_given():
    assert decide([], [], GOOD, replace(RULES, mode="paid_only"), now=NOW) == Decision(
        "free", "none", "no_subscription"
    )


def test_internal_gives_everybody_the_same():
    assert decide([PREMIUM], [], GOOD, replace(RULES, mode="internal"), now=NOW).plan == "free"


@pytest.mark.parametrize("plan", ["guest", "developer"])
def test_nobody_is_ever_on_the_plan_of_guests_or_of_developers(plan):
    strange = replace(PREMIUM, plan=plan, rank=99)
    assert decide([strange], [], GOOD, RULES, now=NOW) == Decision("free", "default", "no_subscription")
    assert decide([], [replace(GIFT, plan=plan, rank=99)], GOOD, RULES, now=NOW).plan == "free"
    assert decide([strange, PREMIUM], [], GOOD, RULES, now=NOW).plan == "premium"


# --- grants ---
def test_a_grant_gives_its_plan_from_its_start_to_its_end():
    later = replace(GIFT, starts_at=NOW + DAY)
    assert decide([], [later], GOOD, RULES, now=NOW) == Decision("free", "default", "no_subscription", NOW + DAY)
    assert decide([], [GIFT], GOOD, RULES, now=NOW) == Decision("premium", "grant", "granted", NOW + 30 * DAY)
    assert decide([], [GIFT], GOOD, RULES, now=NOW + 30 * DAY) == Decision("free", "default", "no_subscription")


def test_a_grant_without_an_end_is_manual():
    assert decide([], [replace(GIFT, ends_at=None)], GOOD, RULES, now=NOW) == Decision("premium", "manual", "granted")


def test_the_highest_rank_counts_and_of_equal_ones_the_subscription():
    plus = replace(GIFT, plan="premium_plus", rank=20)
    assert decide([PREMIUM], [plus], GOOD, RULES, now=NOW) == Decision(
        "premium_plus", "grant", "granted", NOW + 30 * DAY
    )
    assert decide([PREMIUM], [GIFT], GOOD, RULES, now=NOW) == Decision("premium", "subscription", "active")
    assert decide([PLUS], [GIFT], GOOD, RULES, now=NOW).plan == "premium_plus"


def test_a_grant_goes_on_when_grace_is_over():
    late, standing = [replace(PREMIUM, status="past_due")], Standing(delinquent_since=NOW)
    first = decide(late, [GIFT], standing, RULES, now=NOW)
    assert first == Decision("premium", "subscription", "past_due", NOW + 7 * DAY)
    assert decide(late, [GIFT], standing, RULES, now=first.valid_until).source == "grant"


def test_a_hold_counts_before_a_grant():
    assert decide([PREMIUM], [GIFT], Standing("dispute"), RULES, now=NOW) == Decision("free", "default", "hold_dispute")


def test_grants_say_nothing_where_nothing_is_sold():
    assert decide([], [GIFT], GOOD, replace(RULES, mode="internal"), now=NOW).plan == "free"


# --- whatever the facts are ---
days = st.integers(-30, 30).map(lambda number: NOW + number * DAY)
plans_with_ranks = st.sampled_from([("premium", 10), ("premium_plus", 20), ("guest", 0), ("developer", 30)])
subscriptions = st.lists(
    st.builds(
        lambda plan, status, end, paused: Subscribed(*plan, status, end, paused),
        plans_with_ranks,
        st.sampled_from(STATUSES),
        st.none() | days,
        st.booleans(),
    ),
    max_size=4,
)
grants = st.lists(
    st.builds(
        lambda plan, start, length: Granted(*plan, start, length and start + length * DAY),
        plans_with_ranks,
        days,
        st.none() | st.integers(1, 40),
    ),
    max_size=3,
)
standings = st.builds(Standing, st.sampled_from(["", "", "dispute"]), st.none() | days)
facts = st.tuples(subscriptions, grants, standings)


@given(facts)
def test_the_same_facts_give_the_same_answer_in_any_order(facts):
    found, given_plans, standing = facts
    first = decide(found, given_plans, standing, RULES, now=NOW)
    assert decide(found, given_plans, standing, RULES, now=NOW) == first
    assert decide(found[::-1], given_plans[::-1], standing, RULES, now=NOW) == first


@given(facts)
def test_nobody_has_a_paid_plan_without_a_subscription_or_a_grant_that_gives_it(facts):
    found, given_plans, standing = facts
    answer = decide(found, given_plans, standing, RULES, now=NOW)
    paid = {one.plan for one in found if one.status in ("active", "trialing", "past_due")}
    given_now = {one.plan for one in given_plans if one.starts_at <= NOW and (one.ends_at is None or one.ends_at > NOW)}
    if answer.source in NOT_PAID:
        assert answer.plan == "free"
    else:
        assert answer.plan in (given_now if answer.source in ("grant", "manual") else paid)
        assert answer.plan in ("premium", "premium_plus")
        assert not standing.hold_reason


@given(facts)
def test_who_paid_for_the_period_is_never_below_the_plan_but_for_a_hold(facts):
    found, given_plans, standing = facts
    paid = [one for one in found if one.status == "active" and not one.is_collection_paused]
    ranks = [one.rank for one in paid if one.plan in ("premium", "premium_plus")]
    answer = decide(found, given_plans, standing, RULES, now=NOW)
    if not standing.hold_reason:
        assert {"free": 0, "premium": 10, "premium_plus": 20}[answer.plan] >= max(ranks, default=0)


@given(facts, st.integers(0, 90 * 24))
def test_a_decision_holds_until_the_moment_it_names_and_not_longer(facts, hours):
    found, given_plans, standing = facts
    first, at = decide(found, given_plans, standing, RULES, now=NOW), NOW + timedelta(hours=hours)
    assert first.valid_until is None or first.valid_until > NOW
    if first.valid_until is None or at < first.valid_until:
        assert replace(decide(found, given_plans, standing, RULES, now=at), valid_until=first.valid_until) == first
    else:
        after = decide(found, given_plans, standing, RULES, now=first.valid_until)
        assert (after.plan, after.source, after.reason) != (first.plan, first.source, first.reason)
