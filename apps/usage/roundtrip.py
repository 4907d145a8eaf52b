"""Several statements in one round trip: what reserving and settling cost is mostly the way to Postgres and back."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Model

from apps.core import guards


class Statement(NamedTuple):
    """One statement with its values, in the order of its `%s`."""

    text: str
    values: tuple[Any, ...]  # Any: what columns hold


def ask(statements: Sequence[Statement]) -> list[list[tuple[Any, ...]]]:
    """Run statements in their order, sent together; the rows that each gives, none where it gives none. A step.

    Values are bound on our side (Django's default), so that one message may hold several statements; a transaction
    pooler between us and Postgres does not mind. When one fails, none of them happened, as in any transaction.
    """
    guards.inside_transaction()
    with connection.cursor() as cursor:
        values = [value for statement in statements for value in statement.values]
        cursor.execute(";".join(statement.text for statement in statements), values)
        answers = [_rows(cursor)]
        while cursor.nextset():
            answers.append(_rows(cursor))
    return answers


def writing(row: Model) -> Statement:
    """The INSERT of a row, as the model would make it; every column but those that Postgres makes must have a value."""
    columns = row._meta.concrete_fields
    names, places = ", ".join(str(column.column) for column in columns), ", ".join(["%s"] * len(columns))
    values = tuple(column.get_db_prep_save(getattr(row, column.attname), connection) for column in columns)
    return Statement(f"INSERT INTO {row._meta.db_table} ({names}) VALUES ({places})", values)  # noqa: S608 names are ours


def insert(*rows: Model) -> None:
    """Store new rows, of whatever tables, in one round trip. A step; foreign keys are judged at the commit."""
    ask([writing(row) for row in rows])
    for row in rows:
        row._state.adding, row._state.db = False, connection.alias


def _rows(cursor: Any) -> list[tuple[Any, ...]]:  # noqa: ANN401 Django's wrapper of psycopg's cursor
    return cursor.fetchall() if cursor.description else []
