"""What a person sees while everything starts: one line for each part, then a short table of addresses."""

import time
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from apps.localdev.processes import Crashed, Part


class Display:
    """On a terminal lines move; in a log each part is one line when it is done."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._progress = Progress(
            SpinnerColumn(finished_text="[green]✓[/]"),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._lines: dict[str, tuple[TaskID, float]] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def begin(self, part: Part) -> None:
        self._lines[part.name] = (self._progress.add_task(part.title, total=1), time.monotonic())

    def done(self, part: Part) -> None:
        line, begun = self._lines[part.name]
        self._progress.update(line, completed=1)
        if not self.console.is_terminal:
            self.console.print(f"✓ {part.title}  {time.monotonic() - begun:.1f} s", highlight=False)

    def say(self, sentence: str) -> None:
        """One line of plain text."""
        self.console.print(sentence, markup=False, highlight=False, soft_wrap=True)

    def show_addresses(self, addresses: Mapping[str, str], staff: Mapping[str, str], *, title: str) -> None:
        """The short table at the end."""
        table = Table(title=title, title_justify="left", show_header=False, box=None, pad_edge=False)
        for name, address in addresses.items():
            table.add_row(name.replace("_", " ").capitalize(), address)
        if staff:
            table.add_row("Staff account", f"{staff['email']}  password: {staff['password']}")
        self.console.print()
        self.console.print(table, highlight=False, soft_wrap=True)

    def show_crash(self, crash: Crashed) -> None:
        """Which part, and its last words."""
        self.console.print()
        self.say(f"{crash} Everything else was ended too. Its last lines, from {crash.log}:")
        for line in crash.last_lines():
            self.say(f"    {line}")
