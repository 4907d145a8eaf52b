"""What a page of the reports is: figures first, then tables that split them, then panels of its own."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from django.utils.functional import Promise

from apps.reporting.charts import Chart
from apps.reporting.facts import Facts
from apps.reporting.figures import Figures
from apps.reporting.metrics.rows import Cell, Column
from apps.reporting.scope import Scope

Words = str | Promise


@dataclass(frozen=True)
class Line:
    """One line of a table: cells in the order of its columns.

    opens   what some of them lead to: column → address
    faint   columns whose figures say little, because they are of few
    titles  what is said when the pointer rests on a cell
    """

    cells: tuple[Cell, ...]
    opens: Mapping[str, str] = field(default_factory=dict)
    faint: frozenset[str] = frozenset()
    titles: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Table:
    """What a panel shows, on the page and as a file.

    heat   columns whose values colour their cells: a ratio by itself, another value by the most in its line
    chart  a drawing of it, where there is one
    note   a sentence below: what is left out, what is incomplete
    """

    columns: tuple[Column, ...]
    lines: list[Line]
    heat: frozenset[str] = frozenset()
    chart: Chart | None = None
    note: Words = ""


class Panel(ABC):
    """A table of a page's own, read from facts and never from the ledger.

    needs  metrics whose facts the page reads for it, together with its own
    """

    slug: ClassVar[str]
    title: ClassVar[Words]
    meaning: ClassVar[Words]  # printed under the "?"
    needs: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def read(self, scope: Scope, facts: Facts) -> Table:
        """The table; lines without end do not belong here: at most some hundred."""


@dataclass(frozen=True)
class Split:
    """Figures of the page, for each value of one dimension.

    slug    of its file, where a page has two of one dimension
    names   how its values are called, where the dimension itself does not know
    column  what heads them, where it is not the dimension's name
    """

    by: str
    metrics: tuple[str, ...]
    title: Words
    names: Callable[[Collection[str]], Mapping[str, str]] | None = None
    column: Words = ""
    slug: str = ""

    @property
    def name(self) -> str:
        """How its table is called in addresses."""
        return self.slug or f"by-{self.by}"


@dataclass(frozen=True)
class Sheet:
    """One page.

    lead     the sentence it begins with, from its figures
    cards    slugs of its metrics, in the order they are shown
    filters  dimensions that can be narrowed on it
    by_day   slugs of the table at its end; empty: the cards
    files    slugs of the whole files that belong to it; see `files`
    """

    slug: str
    title: Words
    lead: Callable[[Figures], str]
    cards: tuple[str, ...]
    filters: tuple[str, ...] = ()
    splits: tuple[Split, ...] = ()
    panels: tuple[Panel, ...] = ()
    by_day: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
