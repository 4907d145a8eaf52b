"""Computes daily facts again, or checks them."""

import argparse
from collections.abc import Iterator
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from apps.core import clock
from apps.reporting import fill
from apps.reporting.metrics.base import Family
from apps.reporting.metrics.families import FAMILIES

Step = tuple[Family, date]


def a_day(text: str) -> date:
    """Read a day, as 2026-11-23."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"“{text}” is not a day; write it as 2026-11-23.") from None


class Command(BaseCommand):
    """`rebuild_facts`: every day of every family, unless narrowed. Killed at any moment, it may simply be run again.

    What it had not reached is due by schedule as well, so that a killed rebuild goes on by itself.
    """

    help = (
        "Compute the daily facts of reports again from their sources, the newest days first; --check compares and "
        "writes nothing."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--since", type=a_day, metavar="DAY", help="the first day, as 2026-11-23; else all of them")
        parser.add_argument("--until", type=a_day, metavar="DAY", help="the last day; else today")
        parser.add_argument("--family", choices=sorted(FAMILIES), help="only these metrics")
        parser.add_argument("--check", action="store_true", help="compare; exit 1 at the first difference")

    def handle(self, **options: Any) -> None:  # noqa: ANN401 Django hands over what was parsed
        since, until, now = options["since"], options["until"], clock.now()
        if since and until and since > until:
            raise CommandError("--since must not be after --until.")
        chosen = [FAMILIES[options["family"]]] if options["family"] else list(FAMILIES.values())
        steps = [(family, day) for family in chosen for day in fill.days_to_fill(family, since, until, now=now)]
        if not options["check"]:
            for family in chosen:
                fill.mark_dirty(family, [day for each, day in steps if each is family], now=now)
        for (family, day), place in self._shown(steps):
            note = self._check(family, day) if options["check"] else self._fill(family, day)
            if place:
                self.stdout.write(f"{family.name} {day} ({place}): {note}")

    def _shown(self, steps: list[Step]) -> Iterator[tuple[Step, str]]:
        """Each step with its place; on a terminal there is a bar instead."""
        if not self.stdout.isatty():
            yield from ((step, f"{number}/{len(steps)}") for number, step in enumerate(steps, start=1))
            return
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
        with Progress(*columns, console=Console()) as bar:
            task = bar.add_task("", total=len(steps))
            for family, day in steps:
                bar.update(task, description=f"{family.name} {day}")
                yield (family, day), ""
                bar.advance(task)

    def _fill(self, family: Family, day: date) -> str:
        return f"{fill.fill_day(family, day, now=clock.now())} facts"

    def _check(self, family: Family, day: date) -> str:
        found = fill.find_difference(family, day)
        if found is not None:
            key = " ".join(part or "–" for part in found.key)
            raise CommandError(f"{family.name} {day}: {key}: stored {found.stored}, computed {found.computed}.")
        return "agrees"
