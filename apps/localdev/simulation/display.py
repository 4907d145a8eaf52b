"""What a person sees of a simulation: a bar on a terminal, a line now and then elsewhere, and a table at the end."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from apps.localdev.simulation import summary
from apps.localdev.simulation.summary import Summary

LOOK_EVERY_S, SAY_EVERY_S = 2.0, 15.0


@dataclass(frozen=True)
class Stand:
    """How far it is: the day, and what is there by now."""

    day: int
    days: int
    date: date
    accounts: int
    answers: int
    paying: int
    mrr_micro: Mapping[str, int]

    def __str__(self) -> str:
        facts = f"{self.accounts:,} accounts, {self.answers:,} answers, {self.paying:,} paying"
        return f"day {self.day} of {self.days} ({self.date:%d %b %Y}): {facts}, MRR {summary.written(self.mrr_micro)}"


@dataclass
class Display:
    """`stand` reads how far it is; it is asked now and then."""

    console: Console
    stand: Callable[[], Stand]
    _looked_at: float = 0.0
    _said_at: float = field(default_factory=time.monotonic)
    _begun_at: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        columns = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %")
        times = TimeElapsedColumn(), TextColumn("·"), TimeRemainingColumn()
        is_quiet = not self.console.is_terminal
        self._bar = Progress(*columns, *times, console=self.console, disable=is_quiet, speed_estimate_period=120)
        self._task: TaskID | None = None
        self._total, self._done, self._begun_with = 1, 0, 0

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._bar.stop()

    def begin(self, what: str, total: int, done: int = 0) -> None:
        """A new bar in the place of the one before."""
        if self._task is not None:
            self._bar.update(self._task, visible=False)
        self._task = self._bar.add_task(what, total=max(total, 1), completed=done)
        self._total, self._done, self._begun_with = max(total, 1), done, done
        self._begun_at = time.monotonic()

    def move(self, steps: int) -> None:
        """So much more is done; also called with 0, so that time passes."""
        self._done += steps
        if self._task is not None:
            self._bar.update(self._task, completed=self._done)

    def look(self) -> None:
        """Say how far it is, when it is time to."""
        now = time.monotonic()
        if self.console.is_terminal and now - self._looked_at > LOOK_EVERY_S and self._task is not None:
            self._looked_at = now
            self._bar.update(self._task, description=str(self.stand()))
        elif not self.console.is_terminal and now - self._said_at > SAY_EVERY_S:
            self._said_at = now
            self.say(f"{self.stand()}; {self._left()} left")

    def say(self, sentence: str) -> None:
        """One line of plain text."""
        self.console.print(sentence, markup=False, highlight=False, soft_wrap=True)

    def show(self, found: Summary, *, title: str) -> None:
        """The table at the end."""
        self.say(title)
        table = Table(show_header=False, box=None, pad_edge=False)
        table.add_column()
        table.add_column(justify="right")
        for name, value in found.lines():
            table.add_row(name, value)
        self.console.print(table, highlight=False)

    def _left(self) -> str:
        done = self._done - self._begun_with
        if not done:
            return "some time"
        seconds = (time.monotonic() - self._begun_at) * (self._total - self._done) / done
        return f"about {max(1, round(seconds / 60))} min"
