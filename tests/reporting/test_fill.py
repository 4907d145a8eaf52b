from datetime import UTC, date, datetime, timedelta

import pytest

from apps.reporting import fill
from apps.reporting.fill import Difference
from apps.reporting.metrics.families import FAMILIES
from apps.reporting.models import FillState, MetricDay
from tests import build
from tests.reporting import history
from tests.reporting.history import DAY_1, DAY_2, NOW

pytestmark = pytest.mark.django_db
USAGE, REVENUE, EARNINGS = FAMILIES["usage"], FAMILIES["revenue"], FAMILIES["earnings"]


def facts():
    return sorted(MetricDay.objects.values_list("day", "metric", "plan", "currency", "provenance", "value"))


def value(metric, day):
    return sum(MetricDay.objects.filter(metric=metric, day=day).values_list("value", flat=True))


def filled(day):
    return FillState.objects.get(family="usage", day=day).filled_at


def test_fills_every_day_from_the_first_row_to_today():
    history.small_business()
    assert fill.fill_dirty_days(now=NOW, at_most=40) > len(FAMILIES)  # those that have rows of yesterday, twice
    assert set(FillState.objects.values_list("day", flat=True)) == {DAY_1, DAY_2}
    assert (value("mrr", DAY_2), value("messages", DAY_1), value("messages", DAY_2)) == (8_000_000, 2, 2)
    assert not FillState.objects.exclude(dirty_since=None).exists()


def test_twice_changes_nothing():
    history.small_business()
    fill.fill_dirty_days(now=NOW, at_most=40)
    before = facts()
    fill.fill_dirty_days(now=NOW + timedelta(minutes=1), at_most=40)
    assert facts() == before
    assert len(before) > 10


def test_a_closed_day_without_changes_is_left_alone():
    history.small_business()
    later = NOW + timedelta(hours=1)
    fill.fill_dirty_days(now=NOW, at_most=40)
    fill.fill_dirty_days(now=later, at_most=40)
    assert (filled(DAY_1), filled(DAY_2)) == (NOW, later)


def test_late_usage_restates_its_day():
    ana, _ben, _dana = history.small_business()
    fill.fill_dirty_days(now=NOW, at_most=40)
    later = NOW + timedelta(hours=1)
    build.answer(account=ana, at=history.FIRST, recorded_at=NOW + timedelta(minutes=30), messages=5)
    assert fill.mark_dirty(USAGE, now=later) == [DAY_2, DAY_1]
    fill.fill_dirty_days(now=later, at_most=40)
    assert value("messages", DAY_1) == 7
    assert filled(DAY_1) == later


def test_a_row_committed_late_is_not_missed():
    ana, _ben, _dana = history.small_business()
    fill.fill_dirty_days(now=NOW, at_most=40)
    build.answer(account=ana, at=history.FIRST, recorded_at=NOW - timedelta(seconds=20))
    assert DAY_1 in fill.mark_dirty(USAGE, now=NOW + timedelta(minutes=1))


def test_a_state_seen_late_restates_every_day_since():
    _ana, ben, _dana = history.small_business()
    third = NOW + timedelta(days=1)
    fill.fill_dirty_days(now=third, at_most=40)
    assert value("mrr", DAY_2) == 8_000_000
    build.subscription_state(
        subscription=ben.subscriptions.get(), mrr_micro=0, status="canceled", cause="voluntary",
        at=history.FIRST + timedelta(hours=1), observed_at=third + timedelta(hours=1),
    )  # fmt: skip
    later = third + timedelta(hours=2)
    assert fill.mark_dirty(REVENUE, now=later) == [date(2026, 3, 3), DAY_2, DAY_1]
    fill.fill_dirty_days(now=later, at_most=40)
    assert [value("mrr", day) for day in (DAY_1, DAY_2, date(2026, 3, 3))] == [0, 0, 0]


def test_an_invoice_paid_late_restates_the_days_it_served():
    _ana, ben, _dana = history.small_business()
    fill.fill_dirty_days(now=NOW, at_most=40)
    before = value("recognised_revenue", DAY_1)
    history.invoice(account=ben, at=NOW + timedelta(minutes=10), total_minor=31_00)
    fill.fill_dirty_days(now=NOW + timedelta(hours=1), at_most=40)
    assert value("recognised_revenue", DAY_1) == before + 1_000_000


def test_a_day_last_filled_before_it_ended_is_filled_once_more():
    history.small_business()
    fill.fill_dirty_days(now=NOW, at_most=40)
    tomorrow = datetime(2026, 3, 3, 0, 1, tzinfo=UTC)
    assert fill.mark_dirty(USAGE, now=tomorrow) == [date(2026, 3, 3), DAY_2]


def test_what_a_killed_run_left_is_still_waiting():
    history.small_business()
    assert fill.mark_dirty(USAGE, now=NOW) == [DAY_2, DAY_1]
    fill.fill_day(USAGE, DAY_2, now=NOW)
    assert fill.mark_dirty(USAGE, now=NOW + timedelta(minutes=1)) == [DAY_2, DAY_1]
    assert fill.fill_dirty_days(now=NOW + timedelta(minutes=1), at_most=1) == len(FAMILIES)
    assert fill.mark_dirty(USAGE, now=NOW + timedelta(minutes=2)) == [DAY_2, DAY_1]


def test_a_reader_finds_today_true_at_once_when_that_is_cheap(monkeypatch):
    ana, _ben, _dana = history.small_business()
    fill.refresh_today(now=NOW)
    build.answer(account=ana, at=NOW)
    fill.refresh_today(now=NOW + timedelta(seconds=2))
    assert value("messages", DAY_2) == 2
    fill.refresh_today(now=NOW + timedelta(seconds=10))
    assert value("messages", DAY_2) == 3
    monkeypatch.setattr(fill, "CHEAP_ROWS", 0)
    build.answer(account=ana, at=NOW)
    fill.refresh_today(now=NOW + timedelta(seconds=30))
    assert value("messages", DAY_2) == 3


def test_a_reader_marks_what_changed_on_other_days():
    ana, _ben, _dana = history.small_business()
    fill.fill_dirty_days(now=NOW, at_most=40)
    build.answer(account=ana, at=history.FIRST, recorded_at=NOW + timedelta(minutes=10))
    fill.refresh_today(now=NOW + timedelta(minutes=11))
    assert FillState.objects.get(family="usage", day=DAY_1).dirty_since == NOW + timedelta(minutes=11)


def test_a_difference_names_the_first_key():
    history.small_business()
    fill.fill_dirty_days(now=NOW, at_most=40)
    assert fill.find_difference(USAGE, DAY_1) is None
    MetricDay.objects.filter(metric="messages", day=DAY_1).update(value=3)
    MetricDay.objects.filter(metric="output_tokens", day=DAY_1).delete()
    key = ("messages", "free", "", "", "", "", "chat-small", "local", "chat", "reported", "")
    assert fill.find_difference(USAGE, DAY_1) == Difference("usage", DAY_1, key, 3, 2)


def test_without_any_rows_today_is_filled_and_empty():
    assert fill.fill_dirty_days(now=NOW, at_most=40) == len(FAMILIES)
    assert MetricDay.objects.count() == 0
    assert fill.last_filled_at() == NOW
