from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from apps.billing.meters import Meter
from apps.usage import history, ledger
from apps.usage.limits import Demand
from apps.usage.models import UsageLedger, UsageSlice
from tests import build
from tests.usage.test_ledger import used

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PARIS = ZoneInfo("Europe/Paris")
PLAN = build.plan(limits=[build.limit(amount=None)])
db = pytest.mark.django_db


def answer(account, number, *, now=NOW, **facts):
    demand = Demand(PLAN, "chat-small", {Meter.MESSAGES: 1})
    build.act(ledger.reserve, account, UUID(int=number), demand, timeout_s=60, now=now)
    build.act(ledger.settle, UUID(int=number), used(occurred_at=now, **facts), now=now)


def days_of(account, *, zone=PARIS, days=30, now=NOW):
    return [(day.day, day.messages, day.tokens) for day in history.by_day(account, days=days, zone=zone, now=now)]


@db
def test_sums_in_the_persons_zone_the_latest_first():
    account = build.account()
    answer(account, 1, now=datetime(2026, 3, 1, 22, 30, tzinfo=UTC), input_tokens=10, output_tokens=5)
    answer(account, 2, now=datetime(2026, 3, 1, 23, 30, tzinfo=UTC), input_tokens=1, output_tokens=2, price_micro=7)
    answer(account, 3, input_tokens=100, output_tokens=200, provenance="estimated")
    answer(account, 4, now=NOW - timedelta(days=40))
    assert days_of(account) == [(date(2026, 3, 2), 2, 303), (date(2026, 3, 1), 1, 15)]
    latest = history.by_day(account, days=30, zone=PARIS, now=NOW)[0]
    assert (latest.answers, latest.estimated, latest.price_micro, latest.currency) == (2, 1, 7, "usd")


@db
@pytest.mark.parametrize(
    ("zone", "instants", "expected"),
    [
        # 29 March 2026: 02:00 becomes 03:00, the day has 23 hours, from 28 March 23:00 UTC to 29 March 22:00 UTC.
        ("Europe/Paris", ["2026-03-28T22:59", "2026-03-28T23:00", "2026-03-29T21:59", "2026-03-29T22:00"],
         [(30, 1), (29, 2), (28, 1)]),
        # A zone that is 45 minutes off the hour: midnight is at 18:15 UTC.
        ("Asia/Kathmandu", ["2026-03-28T18:14", "2026-03-28T18:15"], [(29, 1), (28, 1)]),
    ],
    ids=["the clocks go forward", "quarters of an hour"],
)  # fmt: skip
def test_a_day_is_the_zones_own_day(zone, instants, expected):
    account = build.account()
    for number, instant in enumerate(instants, 1):
        answer(account, number, now=datetime.fromisoformat(f"{instant}:00+00:00"))
    later = datetime(2026, 3, 30, 12, 0, tzinfo=UTC)
    assert [(day.day, n) for day, n, _ in days_of(account, zone=ZoneInfo(zone), now=later)] == expected


@db
def test_a_day_of_25_hours_is_one_day_and_thirty_days_are_thirty():
    account = build.account()
    # 25 October 2026: 03:00 becomes 02:00; the day lasts from 24 October 22:00 UTC to 25 October 23:00 UTC.
    for number, hour in enumerate((21, 22), 1):
        answer(account, number, now=datetime(2026, 10, 24, hour, 30, tzinfo=UTC))
    for number, hour in enumerate((22, 23), 3):
        answer(account, number, now=datetime(2026, 10, 25, hour, 30, tzinfo=UTC))
    later = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)  # thirty days: from 24 October on, in Paris
    assert [(day.day, n) for day, n, _ in days_of(account, now=later)] == [(26, 1), (25, 2), (24, 1)]
    assert [(day.day, n) for day, n, _ in days_of(account, now=later, days=29)] == [(26, 1), (25, 2)]


@db
def test_shows_nobody_elses_use():
    answer(build.account(), 1)
    other = build.account(owner=build.person(email="other@example.org"))
    assert days_of(other) == []


@db
def test_two_currencies_are_two_lines_of_a_day():
    account = build.account()
    answer(account, 1, price_micro=5)
    answer(account, 2, price_micro=7, currency="eur")
    found = history.by_day(account, days=30, zone=PARIS, now=NOW)
    assert [(day.currency, day.price_micro) for day in found] == [("eur", 7), ("usd", 5)]


@db
def test_what_brought_nothing_is_no_answer():
    account = build.account()
    answer(account, 1, messages=0, input_tokens=0, output_tokens=0, provenance="none")
    assert not UsageSlice.objects.exists()
    assert UsageLedger.objects.count() == 1


@db
def test_reading_it_does_not_read_the_ledger():
    account = build.account()
    answer(account, 1)
    with CaptureQueriesContext(connection) as captured:
        days_of(account)
    assert len(captured) == 1
    assert "usage_usageledger" not in captured[0]["sql"]


class Sums(TestCase):
    @given(
        st.lists(
            st.tuples(st.integers(0, 3 * 24 * 60), st.integers(0, 500), st.sampled_from(["usd", "eur"]), st.booleans()),
            max_size=12,
        )
    )
    @settings(max_examples=25, deadline=None)
    def test_slices_sum_up_to_the_ledger(self, answers):
        account = build.account(owner=build.person(email="sums@example.org"))
        for number, (minutes, tokens, currency, is_reported) in enumerate(answers, 1):
            moment = NOW + timedelta(minutes=minutes)
            provenance = "reported" if is_reported else "estimated"
            answer(account, number, now=moment, input_tokens=tokens, currency=currency, provenance=provenance)
        columns = "messages", "input_tokens", "output_tokens", "price_micro"
        in_slices = UsageSlice.objects.aggregate(**{name: Sum(name) for name in columns})
        assert in_slices == UsageLedger.objects.aggregate(**{name: Sum(name) for name in columns})
        assert (UsageSlice.objects.aggregate(n=Sum("answers"))["n"] or 0) == len(answers)
        estimated = UsageLedger.objects.filter(provenance="estimated").count()
        assert (UsageSlice.objects.aggregate(n=Sum("estimated"))["n"] or 0) == estimated
