"""A company of a million accounts and two years, written straight into Postgres: rows for the reports to be read from.

Each table is filled from one row that the ORM wrote, copied by Postgres with some columns made anew, so that no column
is forgotten. Everything follows from the row's number: two runs are alike.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from uuid import UUID

from django.db import connection
from django.db.models import Model

from apps.reporting.metrics.base import StoredMetric
from apps.reporting.metrics.families import FAMILIES
from apps.reporting.models import CohortMonth

DAYS, MONTHS = 730, 24
CURRENCIES = ("usd", "eur")
KEYS = tuple(str(UUID(int=number)) for number in range(20))
COUNTRIES = tuple(f"{one}{other}" for one in "AB" for other in "RSTUV")
VALUES: Mapping[str, tuple[str, ...]] = {
    "plan": ("free", "premium", "premium_plus"),
    "interval": ("month", "year"),
    "currency": CURRENCIES,
    "country": COUNTRIES,
    "age": ("new", "old"),
    "model": ("chat-small", "chat-large", "chat-deep"),
    "backend": ("east", "west", "north", "south"),
    "channel": ("chat", "api", "batch"),
    "provenance": ("reported", "estimated"),
    "reason": ("checkout", "voluntary"),
}


def run(statement: str, values: Mapping[str, object] | None = None) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.rowcount


def copy(row: Model, count: int, **made: str) -> None:
    """So many rows like one. `made`: column → SQL over `n`, the row's number from 1 on."""
    table = row._meta.db_table
    columns = [field.column for field in row._meta.concrete_fields if not _is_serial(field)]
    shown = [made.get(name, f'"{name}"').replace("%", "%%") for name in columns]
    names = ", ".join(f'"{name}"' for name in columns)
    key = row._meta.pk.column
    run(
        f"INSERT INTO {table} ({names}) SELECT {', '.join(shown)} FROM {table}, generate_series(1, {count}) AS n"
        f" WHERE {key} = %(key)s",
        {"key": row._meta.pk.get_db_prep_value(row.pk, connection)},
    )


def _is_serial(field: object) -> bool:
    return field.get_internal_type() in ("AutoField", "BigAutoField")  # type: ignore[attr-defined]


def uuid_of(number: str, room: int) -> str:
    """SQL for a key that follows from a number."""
    return f"('0193{room:04x}-0000-7000-8000-' || lpad(to_hex({number}), 12, '0'))::uuid"


def fill_facts(last: date) -> int:
    """Facts of every stored metric, each with all its dimensions, over two years; say how many."""
    total = 0
    for family in FAMILIES.values():
        for metric in family.metrics:
            own = {"reason": list(KEYS)} if family.name == "developer" else {}
            total += _facts_of(metric, last, own)
        run(
            "INSERT INTO reporting_fillstate (family, day, filled_at, source_rows)"
            " SELECT %(family)s, day::date, now() + interval '1 hour', 1000000"
            "   FROM generate_series(%(first)s::date, %(last)s::date, interval '1 day') AS day",
            {"family": family.name, "first": last - timedelta(days=DAYS - 1), "last": last},
        )
    for dimension in ("", *(name for name in VALUES if name != "currency")):
        member = dimension or "''"
        run(
            "INSERT INTO reporting_metrictotal (day, metric, dimension, member, currency, value)"
            f" SELECT day, metric, %(dimension)s, {member}, currency, SUM(value) FROM reporting_metricday"
            f"  WHERE {member} <> '' OR %(dimension)s = '' GROUP BY 1, 2, 3, 4, 5",
            {"dimension": dimension},
        )
    return total


def _facts_of(metric: StoredMetric, last: date, own: Mapping[str, list[str]]) -> int:
    columns = set(metric.dimensions) | ({"currency"} if metric.has_currency else set())
    joined = "".join(f" CROSS JOIN unnest(%({name})s::text[]) AS {name}" for name in sorted(columns))
    shown = ", ".join(name if name in columns else "''" for name in VALUES)
    names = ", ".join(f'"{name}"' for name in VALUES)
    return run(
        f"INSERT INTO reporting_metricday (day, metric, {names}, value)"
        f" SELECT day::date, %(metric)s, {shown}, 1 + abs(hashtext(day::text)) %% 1000000"
        f"   FROM generate_series(%(first)s::date, %(last)s::date, interval '1 day') AS day{joined}",
        {"metric": metric.slug, "first": last - timedelta(days=DAYS - 1), "last": last,
         **{name: list(values) for name, values in VALUES.items()}, **own},
    )  # fmt: skip


def fill_cohorts(last: date) -> None:
    """The triangle of two years."""
    first = (last.replace(day=1) - timedelta(days=30 * (MONTHS - 1))).replace(day=1)
    months = []
    while first <= last:
        months.append(first)
        first = (first + timedelta(days=32)).replace(day=1)
    CohortMonth.objects.bulk_create(
        CohortMonth(
            signup_month=month, k=k, currency=currency, accounts=40_000, ever_paid=4_000, paying=3_000 - 50 * k,
            mrr_micro=24_000_000_000,
        )
        for index, month in enumerate(months)
        for k in range(len(months) - index)
        for currency in ("", *CURRENCIES)
    )  # fmt: skip
