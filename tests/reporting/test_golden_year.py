"""Every figure of a year, month by month, against the same figure worked out from the plain list of what happened.

Nothing of the reports' own code computes what is expected: definitions are those of docs/metrics.md and ADR 24, written
down a second time, slowly and without a database. `golden.py` makes the year.
Where the reports and the definitions do not agree, the year has no such case, or the case as it is reported:
credit is not refunded.
"""

import pytest

from apps.reporting import fill
from apps.reporting.days import Period
from apps.reporting.facts import read_facts
from apps.reporting.metrics.base import DIMENSIONS
from apps.reporting.metrics.families import FAMILIES, METRICS
from apps.reporting.models import MetricDay, MrrMovement
from apps.reporting.scope import Scope
from tests.reporting import golden, golden_rows
from tests.reporting.golden import day_of
from tests.reporting.golden_truth import (
    CASES,
    CURRENCIES,
    DERIVED,
    ENDS,
    INFRASTRUCTURE,
    LOST,
    MONTHS,
    MOVED,
    NOT_WORKED_OUT,
    NOW,
    PEOPLE,
    SEED,
    WON,
    Month,
    Truth,
    active_at,
    at_risk_at,
    keys_at,
    standing_at,
)


def fill_year():
    """Fill the days that each family calls changed, and the ends of months; say which were filled."""
    filled = {}
    for name, family in FAMILIES.items():
        changed = [Period(one.first, min(one.last or one.first, ENDS[-1])) for one in family.changes(None)]
        filled[name] = sorted({*ENDS, *(day for period in changed for day in period.days())})
        for day in filled[name]:
            fill.fill_day(family, day, now=NOW)
    return filled


def stored_facts():
    rows = MetricDay.objects.filter(day__range=(ENDS[0], ENDS[-1])).values_list("day", "metric", "value", *DIMENSIONS)
    return {
        (day, slug, frozenset((name, word) for name, word in zip(DIMENSIONS, words, strict=True) if word)): value
        for day, slug, value, *words in rows
    }


def months_that_differ(truth):
    for period in MONTHS:
        found = read_facts(Scope(period, NOW, "usd"), METRICS)
        for slug, metric in METRICS.items():
            for currency in CURRENCIES if metric.has_currency or metric.is_split_by("currency") else ("",):
                pair = found.value(metric, currency, period), Month(truth, period, currency).value(slug)
                if slug not in NOT_WORKED_OUT and pair[0] != pair[1]:
                    yield slug, currency, str(period.first), *pair


@pytest.mark.slow
@pytest.mark.django_db
def test_every_figure_of_every_month_is_what_the_list_says(settings):
    settings.REPORTING_TIMEZONE = str(golden.ZONE)
    settings.INFRASTRUCTURE_MICRO_PER_ANSWER = INFRASTRUCTURE
    book = golden.make(seed=SEED, customers=PEOPLE)
    golden_rows.store(book)
    filled = fill_year()
    stood = {standing_at: "revenue", at_risk_at: "cash", active_at: "activity", keys_at: "developer"}
    truth = Truth(book, {source: filled[family] for source, family in stood.items()})
    stored = stored_facts()
    wrong = {key for key in truth.facts.keys() | stored.keys() if truth.facts[key] != stored.get(key, 0)}
    assert [(*key, truth.facts[key], stored.get(key)) for key in sorted(wrong, key=str)] == []
    assert list(months_that_differ(truth)) == []
    kept = MrrMovement.objects.order_by("at", "pk").values_list(*MOVED)
    assert sorted(kept) == sorted(tuple(getattr(move, name) for name in MOVED) for move in truth.moves)


def test_every_metric_is_worked_out_here_and_occurs_in_every_way():
    book = golden.make(seed=SEED, customers=PEOPLE)
    busy = sorted({day_of(one.at) for one in book.events["answer"]})
    truth = Truth(book, {standing_at: ENDS, at_risk_at: ENDS, active_at: ENDS, keys_at: busy})
    occurring = {slug for (_day, slug, _named), value in truth.facts.items() if value}
    assert occurring | DERIVED.keys() | NOT_WORKED_OUT.keys() == set(METRICS)
    cases = {(kind, cause) for kind, causes in CASES.items() for cause in causes.split()}
    assert {(move.type, move.cause) for move in truth.moves} == cases
    for month in [Month(truth, period, currency) for period in MONTHS for currency in CURRENCIES]:
        assert month.end("mrr") - month.start("mrr") == month.sum(*WON, "mrr_reactivation") - month.sum(*LOST)
