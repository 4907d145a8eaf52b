"""Whole files for other tools."""

from datetime import UTC, date, datetime, timedelta

import pytest

from apps.reporting import files
from apps.reporting.days import Period
from apps.reporting.metrics.families import METRICS
from apps.reporting.models import FillState
from tests import build, cast
from tests.reporting import history

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 4, 10, 12, 0, tzinfo=UTC)
DOLLAR = 1_000_000


def at(month, day):
    return datetime(2026, month, day, 10, 0, tzinfo=UTC)


@pytest.fixture
def months():
    """Ben is premium from 2 March on and asks once a month; eva pays in euros from April on."""
    ben, eva = (
        history.account(owner=cast.ben(), at=at(3, 1)),
        history.account(owner=build.person(email="eva@example.org"), at=at(3, 1)),
    )
    build.stripe_subscription(account=ben, at=at(3, 2))
    build.stripe_subscription(account=eva, at=at(4, 1), currency="eur", mrr_micro=10 * DOLLAR)
    for month in (3, 4):
        build.answer(account=ben, at=at(month, 5), cost_micro=month * DOLLAR, input_tokens=100 * month)
    history.filled("revenue", "movements", "usage", "cost", now=NOW)
    return rows()


def rows():
    found = files.get_file("metrics_summary").rows(Period(date(2026, 3, 10), NOW.date()))
    names = [column.name for column in found.columns]
    return {row.cells[:2]: dict(zip(names, row.cells, strict=True)) for row in found.page("", 100)}


def test_every_figure_stands_by_month_money_in_a_row_for_each_currency(months):
    assert set(months) == {(month, currency) for month in ("2026-03", "2026-04") for currency in ("", "eur", "usd")}
    march, april = months["2026-03", "usd"], months["2026-04", "usd"]
    assert set(march) == {"period", "currency", *METRICS, "restated_at"}
    assert (march["mrr"], april["mrr"], months["2026-04", "eur"]["mrr"]) == (8 * DOLLAR, 8 * DOLLAR, 10 * DOLLAR)
    assert (march["model_cost"], april["model_cost"]) == (3 * DOLLAR, 4 * DOLLAR)
    counted = months["2026-04", ""]
    assert (counted["answers"], counted["input_tokens"], counted["new_customers"]) == (1, 400, 1)
    assert (counted["mrr"], april["answers"]) == (None, None)


def test_a_month_is_whole_although_the_period_begins_in_it(months):
    assert months["2026-03", ""]["answers"] == 1  # on the 5th


def test_a_closed_month_says_when_it_was_computed_again(months):
    restated = NOW + timedelta(days=1)
    assert months["2026-03", ""]["restated_at"] == NOW  # first computed after it was closed
    FillState.objects.filter(family="usage", day=date(2026, 3, 5)).update(filled_at=restated)
    assert rows()["2026-03", ""]["restated_at"] == restated
    assert rows()["2026-04", ""]["restated_at"] is None
