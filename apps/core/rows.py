"""Rows of a query that is text, as instances of their model: for what every question asks.

Django builds a query anew each time, which costs ten times as much as asking it; its own `raw` saves only half of that.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, TypeVar

from django.db import connection
from django.db.models import Model

M = TypeVar("M", bound=Model)  # Any, below: what columns hold


def read(model: type[M], text: str, values: Sequence[Any], *, named: str = "") -> list[M]:
    """Ask, and give the rows as the model's instances; `text` and `named` as for `ask`."""
    return [of(model, row) for row in ask(model, text, values, named=named)]


def first(model: type[M], text: str, values: Sequence[Any], *, named: str = "") -> M | None:
    """The first of these rows, if there is one."""
    return next(iter(read(model, text, values, named=named)), None)


def ask(model: type[Model], text: str, values: Sequence[Any], *, named: str = "") -> list[tuple[Any, ...]]:
    """Ask, and give the rows as they come: for those that have more than the model's columns.

    text   a query, or a change with RETURNING; `{columns}` in it stands for the model's, in the model's order.
    named  what the text calls the model's table, where it calls it otherwise.
    """
    with connection.cursor() as cursor:
        cursor.execute(_filled(model, text, named), values)
        return list(cursor.fetchall())


def of(model: type[M], row: Sequence[Any]) -> M:
    """The instance that a row of the model's columns is; what the row has beyond them is left out."""
    names, readers = _reading(model)
    cells = list(row[: len(names)])
    for place, reader in readers:
        cells[place] = reader(cells[place], None, connection)
    return model.from_db(connection.alias, names, cells)


@cache
def _filled(model: type[Model], text: str, named: str) -> str:
    table = named or model._meta.db_table
    columns = ", ".join(f"{table}.{field.column}" for field in model._meta.concrete_fields)
    return text.replace("{columns}", columns)


@cache
def _reading(model: type[Model]) -> tuple[list[str], list[tuple[int, Any]]]:  # Any: Django's own signature
    """Names of a model's columns, and of those that Postgres gives otherwise than Python has them, who reads them."""
    fields = model._meta.concrete_fields
    readers = [(place, field.from_db_value) for place, field in enumerate(fields) if hasattr(field, "from_db_value")]
    return [field.attname for field in fields], readers
