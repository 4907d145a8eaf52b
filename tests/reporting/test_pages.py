"""What a page reads, and its table over time."""

from datetime import UTC, date, datetime, timedelta

import pytest

from apps.reporting import facts, pages
from apps.reporting.days import ONE_DAY, Period
from apps.reporting.models import MetricTotal
from apps.reporting.scope import Comparison, Scope
from apps.reporting.sheets.register import SHEETS

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LAST = NOW.date()
BEGINNING = date(2024, 1, 1)


@pytest.fixture
def kept():
    """On each day one message more than the day before, and as many accounts that pay; nothing else."""
    rows = []
    for number in range((LAST - BEGINNING).days + 1):
        day = BEGINNING + timedelta(days=number)
        rows += [MetricTotal(day=day, metric=slug, value=number) for slug in ("messages", "paying_customers")]
    MetricTotal.objects.bulk_create(rows)


def scope(length, comparison=Comparison.PREVIOUS):
    return Scope(Period(LAST - timedelta(days=length - 1), LAST), NOW, "usd", comparison)


def total(period):
    return sum((day - BEGINNING).days for day in period.days())


@pytest.mark.parametrize("comparison", list(Comparison))
@pytest.mark.parametrize("length", [1, 7, 92, 365, 500])
def test_a_period_and_what_it_is_compared_with_are_summed_whole(kept, length, comparison):
    asked = scope(length, comparison)
    found = facts.read_facts(asked, ["messages", "paying_customers"])
    flow, balance = pages.METRICS["messages"], pages.METRICS["paying_customers"]
    for period in (asked.period, asked.before):
        assert found.value(flow, "", period) == total(period)
        assert found.value(balance, "", period) == (period.last - BEGINNING).days
    for day in asked.period.days():
        assert found.value(flow, "", Period(day, day)) == (day - BEGINNING).days
    before = asked.period.first - ONE_DAY
    assert found.by_day("paying_customers")[before] == (before - BEGINNING).days


@pytest.mark.parametrize("comparison", list(Comparison))
@pytest.mark.parametrize("length", [1, 7, 365, 500])
def test_a_split_has_the_sums_of_both_periods(kept, length, comparison):
    rows = [{"day": row.day, "metric": row.metric, "value": row.value} for row in MetricTotal.objects.all()]
    for plan in ("free", "premium"):
        MetricTotal.objects.bulk_create(MetricTotal(dimension="plan", member=plan, **row) for row in rows)
    asked = scope(length, comparison)
    found = facts.read_split(asked, ["messages", "paying_customers"], "plan")
    assert set(found) == {"free", "premium"}
    for of_plan in found.values():
        for period in (asked.period, asked.before):
            assert of_plan.value(pages.METRICS["messages"], "", period) == total(period)
            assert of_plan.value(pages.METRICS["paying_customers"], "", period) == (period.last - BEGINNING).days


def test_a_long_period_is_told_by_months_whose_parts_are_those_of_the_period(kept):
    asked = scope(100)
    page = pages.read_page(SHEETS["usage"], asked)
    assert page.is_by_month
    place = [column.name for column in page.over_time.columns].index("messages")
    told = {line.cells[0]: line.cells[place] for line in page.over_time.lines}
    assert list(told) == ["2026-11", "2026-10", "2026-09", "2026-08"]
    assert told["2026-10"] == total(Period(date(2026, 10, 1), date(2026, 10, 31)))
    assert told["2026-08"] == total(Period(asked.period.first, date(2026, 8, 31)))
    assert sum(told.values()) == total(asked.period)
    assert "from=2026-10-01&to=2026-10-31" in page.over_time.lines[1].opens["messages"]


def test_a_quarter_is_told_by_days_and_the_file_of_a_year_too(kept):
    assert not pages.read_page(SHEETS["usage"], scope(92)).is_by_month
    assert len(pages.read_table(SHEETS["usage"], scope(365), "by-day").lines) == 365
