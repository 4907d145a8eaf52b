"""Movements as rows and facts, from states of real accounts."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from apps.billing.models import SubscriptionState
from apps.reporting import days, fill
from apps.reporting.days import Period
from apps.reporting.metrics.base import Slice
from apps.reporting.metrics.families import FAMILIES, METRICS
from apps.reporting.models import MetricDay, MrrMovement
from tests import build, cast
from tests.reporting import history

NOW = datetime(2026, 6, 20, 12, 0, tzinfo=UTC)
FIRST = datetime(2026, 5, 2, 10, 0, tzinfo=UTC)
JUNE_8 = datetime(2026, 6, 8, 9, 0, tzinfo=UTC)
DOLLAR = 1_000_000
MOVEMENTS = FAMILIES["movements"]


def on(moment):
    return days.day_of(moment)


def filled(slug, **only):
    return sum(MetricDay.objects.filter(metric=slug, **only).values_list("value", flat=True))


def fill_all(now=NOW):
    history.filled("movements", now=now)


def ben_buys_more_and_leaves():
    """8.00 on 2 May, 40.00 from 20 May on, nothing from 8 June on."""
    ben = history.account(owner=cast.ben(), at=FIRST)
    subscription = build.stripe_subscription(account=ben, at=FIRST)
    more = {"cause": "upgrade", "at": FIRST + timedelta(days=18)}
    build.subscription_state(subscription=subscription, mrr_micro=40 * DOLLAR, **more)
    build.subscription_state(subscription=subscription, mrr_micro=0, at=JUNE_8, cause="voluntary", status="canceled")
    return ben


@pytest.mark.django_db
def test_each_movement_is_a_row_and_a_fact_on_its_day():
    ben = ben_buys_more_and_leaves()
    fill_all()
    rows = MrrMovement.objects.order_by("at").values_list("type", "cause", "delta_micro", "after_micro", "account_id")
    assert list(rows) == [
        ("new", "checkout", 8 * DOLLAR, 8 * DOLLAR, ben.pk),
        ("expansion", "upgrade", 32 * DOLLAR, 40 * DOLLAR, ben.pk),
        ("churn", "voluntary", -40 * DOLLAR, 0, ben.pk),
    ]
    named = {"plan": "premium", "interval": "month", "currency": "usd", "reason": "voluntary"}
    assert filled("mrr_churn", day=date(2026, 6, 8), age="old", **named) == 40 * DOLLAR
    assert filled("mrr_new", age="new", reason="checkout") == 8 * DOLLAR
    assert (filled("new_customers"), filled("churned_customers"), filled("lost_of_start")) == (1, 1, 1)
    assert (filled("start_churn"), filled("start_expansion"), filled("joined_and_left")) == (40 * DOLLAR, 0, 0)


@pytest.mark.django_db
def test_c21_who_joins_and_leaves_in_one_month_is_in_no_rate():
    ben = history.account(owner=cast.ben(), at=FIRST)
    subscription = build.stripe_subscription(account=ben, at=FIRST)
    gone = FIRST + timedelta(days=20)
    build.subscription_state(subscription=subscription, mrr_micro=0, at=gone, cause="voluntary", status="canceled")
    fill_all()
    assert (filled("churned_customers"), filled("joined_and_left"), filled("lost_of_start")) == (1, 1, 0)


@pytest.mark.django_db
def test_who_joins_and_leaves_twice_in_a_month_is_one_person_who_did():
    ben = history.account(owner=cast.ben(), at=FIRST)
    for day in (2, 9):
        bought, left = FIRST.replace(day=day), FIRST.replace(day=day + 3)
        subscription = build.stripe_subscription(account=ben, at=bought)
        build.subscription_state(subscription=subscription, mrr_micro=0, at=left, cause="voluntary")
    fill_all()
    assert (filled("churned_customers"), filled("joined_and_left"), filled("lost_of_start")) == (2, 1, 0)
    may = Period(date(2026, 5, 1), date(2026, 5, 31))
    assert [row.cells[0].day for row in METRICS["joined_and_left"].rows(Slice(may)).page("", 10)] == [5]


@pytest.mark.django_db
def test_who_is_lost_twice_in_a_month_is_lost_once_for_the_rate():
    ben = history.account(owner=cast.ben(), at=FIRST)
    subscription = build.stripe_subscription(account=ben, at=FIRST)
    for day, mrr in ((3, 0), (10, 8), (15, 0)):
        at = datetime(2026, 6, day, tzinfo=UTC)
        build.subscription_state(subscription=subscription, mrr_micro=mrr * DOLLAR, at=at, cause="voluntary")
    fill_all()
    assert (filled("churned_customers"), filled("lost_of_start"), filled("reactivated_customers")) == (2, 1, 1)
    assert filled("start_churn") == 16 * DOLLAR


@pytest.mark.django_db
@pytest.mark.parametrize("again", [datetime(2026, 5, 20, tzinfo=UTC), JUNE_8], ids=["same month", "next month"])
@pytest.mark.parametrize(
    ("kept_for", "types"),
    [(timedelta(minutes=40), ["new"]), (timedelta(minutes=60), ["new", "churn", "reactivation"])],
    ids=["given back within the hour", "kept"],
)
def test_who_gave_the_first_purchase_back_within_the_hour_is_new_when_they_buy_again(again, kept_for, types):
    ben = history.account(owner=cast.ben(), at=FIRST)
    first = build.stripe_subscription(account=ben, at=FIRST)
    build.subscription_state(subscription=first, mrr_micro=0, at=FIRST + kept_for, cause="staff", status="canceled")
    build.stripe_subscription(account=ben, at=again)
    fill_all()
    assert list(MrrMovement.objects.order_by("at").values_list("type", flat=True)) == types
    assert filled("new_customers") == 1
    assert filled("reactivated_customers") == len(types) // 2


@pytest.mark.django_db
def test_a_state_that_is_seen_late_restates_its_day_and_what_follows():
    ben_buys_more_and_leaves()
    fill_all()
    subscription = SubscriptionState.objects.first().subscription
    late = datetime(2026, 5, 10, tzinfo=UTC)
    build.subscription_state(
        subscription=subscription, mrr_micro=10 * DOLLAR, at=late, cause="quantity", observed_at=NOW
    )
    fill_all(NOW + timedelta(minutes=5))
    moved = MrrMovement.objects.order_by("at").values_list("type", "delta_micro")
    assert [(kind, delta // DOLLAR) for kind, delta in moved] == [
        ("new", 8), ("expansion", 2), ("expansion", 30), ("churn", -40),
    ]  # fmt: skip
    assert filled("mrr_expansion") == 32 * DOLLAR


@pytest.mark.django_db
def test_a_day_is_worked_out_once_for_its_rows_and_its_facts():
    ben_buys_more_and_leaves()
    with CaptureQueriesContext(connection) as asked:
        fill.fill_day(MOVEMENTS, date(2026, 6, 8), now=NOW)
    read = [one["sql"] for one in asked if '"country" AS "account__owner__country"' in one["sql"]]
    assert len(read) == 2  # held when the month began, and since then; nobody may come back
    assert (MrrMovement.objects.count(), filled("churned_customers")) == (1, 1)


@pytest.mark.django_db
def test_filling_twice_leaves_the_same_rows():
    ben_buys_more_and_leaves()
    for _ in range(2):
        fill.fill_day(MOVEMENTS, date(2026, 6, 8), now=NOW)
    assert MrrMovement.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("only", "found"),
    [({}, 1), ({"plan": "premium"}, 1), ({"plan": "free"}, 0), ({"reason": "voluntary"}, 1), ({"reason": "dispute"}, 0),
     ({"age": "old"}, 1), ({"age": "new"}, 0), ({"currency": "eur"}, 0), ({"country": "FR"}, 0)],
)  # fmt: skip
def test_the_rows_behind_lost_mrr_are_its_movements(only, found):
    ben = ben_buys_more_and_leaves()
    fill_all()
    june = Period(date(2026, 6, 1), date(2026, 6, 30))
    rows = METRICS["mrr_churn"].rows(Slice(june, only)).page("", 10)
    assert len(rows) == found
    assert not found or rows[0].cells[1:4] == (str(ben.pk), "churn", "voluntary")


@pytest.mark.django_db
def test_staff_and_internal_accounts_do_not_move():
    build.stripe_subscription(account=history.account(owner=cast.dana()), at=FIRST)
    inside = build.person(email="inside@example.org", is_internal=True)
    build.stripe_subscription(account=history.account(owner=inside), at=FIRST)
    assert MOVEMENTS.compute(on(FIRST)) == []


HISTORIES = st.lists(
    st.tuples(
        st.integers(0, 1),  # whose
        st.integers(0, 2),  # subscription
        st.integers(0, 20 * 24 * 6),  # when, in steps of ten minutes
        st.sampled_from([0, 7, 8, 33, 40]),
    ),
    max_size=14,
)


class AnyHistory(TestCase):
    """Hypothesis needs a database that is empty for each example."""

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(HISTORIES)
    def test_movements_sum_to_the_mrr_of_every_day(self, events):
        people = [history.account(owner=build.person(email=f"p{one}@example.org"), at=FIRST) for one in range(2)]
        known = {}
        for whose, number, at, mrr in sorted(events, key=lambda one: one[2]):
            moment = FIRST + timedelta(minutes=10 * at)
            if (whose, number) not in known:
                known[whose, number] = build.stripe_subscription(
                    account=people[whose], at=moment, mrr_micro=mrr * DOLLAR
                )
            else:
                build.subscription_state(subscription=known[whose, number], at=moment, mrr_micro=mrr * DOLLAR)
        total = 0
        for day in days.each(on(FIRST), on(FIRST) + timedelta(days=20)):
            facts = MOVEMENTS.compute(day)
            gained = sum(one.value for one in facts if one.metric in ("mrr_new", "mrr_expansion", "mrr_reactivation"))
            total += gained - sum(one.value for one in facts if one.metric in ("mrr_churn", "mrr_contraction"))
            assert total == sum(fact.value for fact in METRICS["mrr"].compute(day))
