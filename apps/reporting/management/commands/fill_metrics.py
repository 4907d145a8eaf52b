"""Computes daily facts again, or checks them."""

import argparse
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.core import clock
from apps.reporting import fill
from apps.reporting.metrics.base import Family
from apps.reporting.metrics.families import FAMILIES


def a_day(text: str) -> date:
    """Read a day, as 2026-11-23."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"“{text}” is not a day; write it as 2026-11-23.") from None


class Command(BaseCommand):
    """`fill_metrics`: every day of every family, unless narrowed. Killed at any moment, it may simply be run again."""

    help = (
        "Compute the daily facts of reports again from their sources, day by day; --check compares and writes nothing."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--from", dest="first", type=a_day, metavar="DAY", help="the first day, as 2026-11-23")
        parser.add_argument("--to", dest="last", type=a_day, metavar="DAY", help="the last day")
        parser.add_argument("--family", choices=sorted(FAMILIES), help="only these metrics")
        parser.add_argument("--check", action="store_true", help="compare; exit 1 at the first difference")

    def handle(self, **options: Any) -> None:  # noqa: ANN401 Django hands over what was parsed
        first, last, now = options["first"], options["last"], clock.now()
        if first and last and first > last:
            raise CommandError("--from must not be after --to.")
        chosen = [FAMILIES[options["family"]]] if options["family"] else list(FAMILIES.values())
        for family in chosen:
            wanted = fill.days_to_fill(family, first, last, now=now)
            if not options["check"]:
                fill.mark_dirty(family, wanted, now=now)
            for number, day in enumerate(wanted, start=1):
                note = self._check(family, day) if options["check"] else self._fill(family, day)
                self.stdout.write(f"{family.name} {day} ({number}/{len(wanted)}): {note}")

    def _fill(self, family: Family, day: date) -> str:
        return f"{fill.fill_day(family, day, now=clock.now())} facts"

    def _check(self, family: Family, day: date) -> str:
        found = fill.find_difference(family, day)
        if found is not None:
            key = " ".join(part or "–" for part in found.key)
            raise CommandError(f"{family.name} {day}: {key}: stored {found.stored}, computed {found.computed}.")
        return "agrees"
