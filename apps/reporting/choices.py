"""What a page's filters offer: its lengths, and of each dimension the values that occur."""

from dataclasses import dataclass

from django.db.models import Q

from apps.reporting import names
from apps.reporting.facts import stored_slugs
from apps.reporting.models import MetricDay
from apps.reporting.scope import Scope
from apps.reporting.sheets.base import Sheet, Words

LENGTHS = (7, 30, 90, 365)


@dataclass(frozen=True)
class Choice:
    """One value of a filter."""

    value: str
    name: str
    is_chosen: bool


@dataclass(frozen=True)
class Filter:
    """One dimension that the page can be narrowed by."""

    name: str
    title: Words
    choices: list[Choice]


@dataclass(frozen=True)
class Choices:
    """All that the bar of a page offers. `length`: the one of LENGTHS that is shown, or none."""

    lengths: tuple[int, ...]
    length: int | None
    filters: list[Filter]


def read_choices(sheet: Sheet, scope: Scope) -> Choices:
    """Read the values that occur in the page's days: one query for each of its filters."""
    ends_today = scope.period.last == scope.today
    length = scope.period.length if ends_today and scope.period.length in LENGTHS else None
    return Choices(LENGTHS, length, [_filter(sheet, scope, name) for name in sheet.filters])


def _filter(sheet: Sheet, scope: Scope, name: str) -> Filter:
    facts = MetricDay.objects.filter(
        Q(day=scope.period.last) | Q(day=scope.period.first), metric__in=stored_slugs(sheet.cards)
    )
    found = set(facts.exclude(**{name: ""}).values_list(name, flat=True).distinct())
    chosen = scope.only.get(name, "")
    values = sorted((found | {chosen}) - {""}, key=lambda value: names.name_of(name, value))
    return Filter(
        name, names.DIMENSIONS[name], [Choice(value, names.name_of(name, value), value == chosen) for value in values]
    )
