"""`manage.py billing_reconcile`: compares what we know with Stripe, and repairs it.

It stands here since usage, too, has something to compare, and billing knows nothing of usage.
"""

from argparse import ArgumentParser
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from apps.billing import differences
from apps.billing import drift as billing_drift
from apps.billing.differences import HIGH, OpenKind
from apps.core import clock
from apps.core.errors import CauserieError
from apps.usage import drift as usage_drift

WIDEST = 40


class Command(BaseCommand):
    """Ends with an exit code other than 0 while a difference of high severity is open."""

    help = "Compares money and access with Stripe; repairs by the usual sync unless --dry-run is given."

    def add_arguments(self, parser: ArgumentParser) -> None:
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--all", action="store_true", help="everything; goes on where an earlier one stopped")
        which.add_argument("--account", type=UUID, help="one account, by its id")
        parser.add_argument("--dry-run", action="store_true", help="compare only, write nothing")

    def handle(self, *_args: Any, **options: Any) -> None:  # noqa: ANN401 Django's own signature
        is_dry, account = options["dry_run"], options["account"]
        try:
            report = billing_drift.reconcile(account, is_dry=is_dry, clock=clock.now)
        except CauserieError as error:
            raise CommandError(f"{error.sentence} ({error.code})") from error
        of_usage = [] if account else (usage_drift.find if is_dry else usage_drift.note)(now=clock.now())
        found = [*report.differences, *of_usage]
        if found:
            self._table(
                ("account or customer", "kind", "severity", "about", "here", "at Stripe"),
                [(owner, one.kind, one.severity, one.subject, one.ours, one.stripe) for owner, one in found],
            )
        self.stdout.write(f"{report.accounts} accounts, {len(found)} differences.")
        self._sum_up(differences.count_open())
        serious = sum(one.severity == HIGH for _owner, one in found) if is_dry else differences.count_open_high()
        if serious:
            raise CommandError(f"{serious} differences need a person.")

    def _sum_up(self, kinds: Iterable[OpenKind]) -> None:
        rows = [(one.kind, one.severity, str(one.number), _age(clock.now() - one.first_seen)) for one in kinds]
        if rows:
            self._table(("open", "severity", "number", "oldest"), rows)

    def _table(self, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        told = [heads, *([_cut(word) for word in row] for row in rows)]
        widths = [max(map(len, column)) for column in zip(*told, strict=True)]
        for row in told:
            line = "  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True))
            self.stdout.write(line.rstrip())


def _cut(word: str) -> str:
    return word if len(word) <= WIDEST else f"{word[: WIDEST - 1]}…"


def _age(since: timedelta) -> str:
    if since.days:
        return f"{since.days} d"
    minutes = since // timedelta(minutes=1)
    return f"{minutes // 60} h" if minutes >= 60 else f"{minutes} min"  # noqa: PLR2004
