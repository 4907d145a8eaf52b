"""Visitors in the reports."""

import pytest

from apps.accounts.models import VisitDay
from apps.reporting.days import Period
from apps.reporting.facts import Facts, read_facts
from apps.reporting.metrics.base import Slice
from apps.reporting.metrics.families import METRICS
from apps.reporting.scope import Scope
from apps.reporting.sheets.growth import FunnelPanel, SourcesPanel
from tests import cast
from tests.reporting import history
from tests.reporting.history import DAY_1, DAY_2, NOW

pytestmark = pytest.mark.django_db
SCOPE = Scope(Period(DAY_1, DAY_2), NOW, "usd")


@pytest.fixture
def visitors():
    for day, page, source, number in (
        (DAY_1, "home", "direct", 6), (DAY_2, "home", "news.example", 4), (DAY_2, "pricing", "direct", 3),
    ):  # fmt: skip
        VisitDay.objects.create(day=day, page=page, source=source, visits=number, changed_at=NOW)
    history.account(owner=cast.ana())
    history.filled("visits", "growth", now=NOW)


def test_the_funnel_begins_with_who_came(visitors):
    panel = FunnelPanel()
    lines = [line.cells for line in panel.read(SCOPE, read_facts(SCOPE, panel.needs)).lines]
    assert lines[0] == ("Visitors", 10, None, 1_000_000)
    assert lines[1] == ("Sign-ups", 1, 100_000, 100_000)


def test_sources_stand_side_by_side_and_lead_to_their_days(visitors):
    lines = SourcesPanel().read(SCOPE, Facts({})).lines
    assert [line.cells for line in lines] == [("direct", 6, 3), ("news.example", 4, 0)]
    assert "reason=news.example" in lines[1].opens["visits"]
    rows = METRICS["visits"].rows(Slice(SCOPE.period, {"reason": "news.example"})).page("", 5)
    assert [row.cells for row in rows] == [(DAY_2, "news.example", 4)]


def test_a_number_that_moves_fills_its_day_again(visitors):
    VisitDay.objects.filter(page="pricing").update(visits=8, changed_at=NOW)
    history.filled("visits", now=NOW)
    assert read_facts(SCOPE, ["pricing_visits"]).by_day("pricing_visits") == {DAY_2: 8}
