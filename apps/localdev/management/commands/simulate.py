"""`manage.py simulate --accounts 10000 --months 12`: plays a company's life through the real code."""

import os
import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand
from django.core.management.base import CommandError
from rich.console import Console

from apps.core import clock
from apps.localdev.simulation import conditions
from apps.localdev.simulation.checkpoint import Checkpoint
from apps.localdev.simulation.conditions import Unfit
from apps.localdev.simulation.course import Course
from apps.localdev.simulation.crew import Failed
from apps.localdev.simulation.parameters import HIGHEST_SEED, MOST, Parameters

STOPPED = 130  # what shells say of a program that Ctrl-C ended
USUAL_WORKERS = 2


def whole_number(least: int, most: int) -> Callable[[str], int]:
    """Read a number that lies between two others."""

    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
            raise ArgumentTypeError(f"“{text}” is not a whole number from {least} to {most:,}.")
        return int(text)

    return read


def a_day(text: str) -> date:
    """Read a day, as 2026-11-23."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"“{text}” is not a day; write it as 2026-11-23.") from None


class Command(BaseCommand):
    """The command line of `simulation.course`."""

    help = "Plays sign-ups, answers, upgrades, churn and failed payments through the real code, with a moved clock."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        workers = min(USUAL_WORKERS, os.cpu_count() or 1)
        for name, usual, least, most, about in (
            ("accounts", 1000, 1, MOST["accounts"], "how many people join"),
            ("months", 12, 1, MOST["months"], "how long it lasts, up to now"),
            ("seed", 7, 0, HIGHEST_SEED, "the same seed gives the same company"),
            ("answers", 6, 1, MOST["answers"], "answers that an active account gets in a month, in the mean"),
            ("workers", workers, 1, MOST["workers"], "processes; the result is the same with any number"),
        ):
            parser.add_argument(
                f"--{name}", type=whole_number(least, most), default=usual, help=f"{about} ({usual})", metavar="N"
            )
        parser.add_argument("--until", type=a_day, metavar="DAY", help="end when this day begins, not now")
        parser.add_argument("--any-database", action="store_true", help="also where manage.py up did not start it")

    def handle(self, *_args: Any, **options: Any) -> None:  # noqa: ANN401 Django's own signature
        now, until = clock.now(), options["until"]
        end = datetime.combine(until, time.min, tzinfo=UTC) if until else now.replace(minute=0, second=0, microsecond=0)
        if end > now:
            raise CommandError("--until lies in the future; the simulated period ends in the past, or now.")
        numbers = {name: options[name] for name in ("accounts", "months", "seed", "answers")}
        checkpoint = Checkpoint.inside(Path(settings.LOCAL_DIR))
        try:
            conditions.require_local_system(any_database=options["any_database"])
            wanted = conditions.require_same(checkpoint, Parameters(**numbers, until=end), until is not None)
            is_done = Course(wanted, options["workers"], checkpoint, Console()).run(now=now)
        except (Unfit, Failed) as problem:
            raise CommandError(str(problem)) from problem
        if not is_done:
            sys.exit(STOPPED)
