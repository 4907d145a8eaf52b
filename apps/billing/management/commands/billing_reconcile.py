"""`manage.py billing_reconcile`: compares what we know with Stripe, and repairs it."""

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from apps.billing import drift
from apps.core import clock
from apps.core.errors import CauserieError


class Command(BaseCommand):
    """Ends with an exit code other than 0 while a difference of high severity is open."""

    help = "Compares subscriptions and access with Stripe; repairs by the usual sync unless --dry-run is given."

    def add_arguments(self, parser: ArgumentParser) -> None:
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--all", action="store_true", help="every account that is a customer at Stripe")
        which.add_argument("--account", type=UUID, help="one account, by its id")
        parser.add_argument("--dry-run", action="store_true", help="compare only, write nothing")

    def handle(self, *_args: Any, **options: Any) -> None:  # noqa: ANN401 Django's own signature
        try:
            report = drift.reconcile(options["account"], is_dry=options["dry_run"], clock=clock.now)
        except CauserieError as error:
            raise CommandError(f"{error.sentence} ({error.code})") from error
        for owner, one in report.differences:
            self.stdout.write(f"{owner}: {one.kind} {one.subject}: here “{one.ours}”, at Stripe “{one.stripe}”")
        self.stdout.write(f"{report.accounts} accounts, {len(report.differences)} differences.")
        if report.open_high:
            raise CommandError(f"{report.open_high} differences need a person.")
