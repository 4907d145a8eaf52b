"""Rows behind a figure, page by page: a keyset, never an offset, so the last page is as quick as the first."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Generic, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.core.errors import Invalid

AnyModel = TypeVar("AnyModel", bound=Model)
Cell = str | int | date | datetime | None


class Kind(StrEnum):
    """How a cell is written. Money is an integer in micro-units; its row says in which currency."""

    TEXT = "text"
    TIME = "time"
    DAY = "day"
    COUNT = "count"
    MONEY = "money"
    RATIO = "ratio"  # millionths
    TIMES = "times"  # millionths
    MILLISECONDS = "milliseconds"


@dataclass(frozen=True)
class Column:
    """One column: `name` heads it in a file, `title` on the page; `opens` is the metric whose rows its cells open.

    currency   of its amounts; empty: each row has a cell `currency`.
    is_change  its numbers are written with their sign.
    """

    name: str
    title: str | Promise
    kind: Kind = Kind.TEXT
    opens: str = ""
    currency: str = ""
    is_change: bool = False


@dataclass(frozen=True)
class Row:
    """One row: `cells` in the order of the columns, `key` says where it stands."""

    key: str
    cells: tuple[Cell, ...]


class Rows(ABC):
    """What stands behind one figure in one period."""

    columns: tuple[Column, ...]

    @abstractmethod
    def page(self, after: str, size: int) -> list[Row]:
        """At most `size` rows that follow the row with the key `after` (empty: from the beginning)."""

    @abstractmethod
    def count(self) -> int:
        """How many rows there are."""


@dataclass(frozen=True)
class Part(Generic[AnyModel]):
    """Rows of one table in the order of a moment (or a day) and the key; `cells` turns one into what is shown."""

    queryset: QuerySet[AnyModel]
    moment: str
    cells: Callable[[AnyModel], tuple[Cell, ...]]

    def page(self, after: str, size: int) -> list[AnyModel]:
        found = self.queryset.filter(self._later_than(after)) if after else self.queryset
        return list(found.order_by(self.moment, "pk")[:size])

    def _later_than(self, after: str) -> Q:
        text, _sep, key = after.partition("~")
        moment, pk = _read(self.queryset.model, self.moment, text), _read(self.queryset.model, "pk", key)
        later = Q(**{f"{self.moment}__gt": moment}) | Q(**{self.moment: moment, "pk__gt": pk})
        return Q(**{f"{self.moment}__gte": moment}) & later  # the first condition lets an index on the moment help

    def key(self, row: AnyModel) -> str:
        moment: date = getattr(row, self.moment)
        return f"{moment.isoformat()}~{row.pk}"


class KeysetRows(Rows):
    """Rows of one or several tables, one table after the other."""

    def __init__(self, columns: tuple[Column, ...], *parts: Part[Any]) -> None:  # parts are of different tables
        self.columns = columns
        self.parts = parts

    def page(self, after: str, size: int) -> list[Row]:
        number, _sep, inner = after.partition("~") if after else ("0", "", "")
        begin = _number(number, len(self.parts))
        rows: list[Row] = []
        for index, part in enumerate(self.parts[begin:], start=begin):
            found = part.page(inner if index == begin else "", size - len(rows))
            rows += [Row(f"{index}~{part.key(row)}", part.cells(row)) for row in found]
            if len(rows) == size:
                break
        return rows

    def count(self) -> int:
        return sum(part.queryset.count() for part in self.parts)


class FixedRows(Rows):
    """Few rows, worked out already: one a day."""

    def __init__(self, columns: tuple[Column, ...], cells: Sequence[tuple[Cell, ...]]) -> None:
        self.columns = columns
        self._rows = [Row(str(number), row) for number, row in enumerate(cells, start=1)]

    def page(self, after: str, size: int) -> list[Row]:
        begin = _number(after or "0", len(self._rows) + 1)
        return self._rows[begin : begin + size]

    def count(self) -> int:
        return len(self._rows)


def _number(text: str, below: int) -> int:
    if not (text.isascii() and text.isdigit() and int(text) < below):
        raise _lost()
    return int(text)


def _read(model: type[Model], name: str, text: str) -> object:
    """A part of a key, as the field understands it; the address may be edited by hand."""
    field = model._meta.pk if name == "pk" else model._meta.get_field(name)
    try:
        value: object = field.to_python(text)  # type: ignore[union-attr]  # relations never order rows
    except ValidationError:
        raise _lost() from None
    if value is None or (isinstance(value, datetime) and value.tzinfo is None):
        raise _lost()
    return value


def _lost() -> Invalid:
    return Invalid(_("This page of rows does not exist. Please begin at the first page."), field="after")
