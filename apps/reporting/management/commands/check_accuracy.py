"""Holds the reports against Stripe and our own rows, now."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.billing import stripe_gateway
from apps.core import clock
from apps.reporting import accuracy


class Command(BaseCommand):
    """`check_accuracy`: what the schedule does every night; exit 1 where anything differs."""

    help = "Hold the reports against Stripe's objects and our own rows; exit 1 at any difference."

    def handle(self, **_options: Any) -> None:  # noqa: ANN401 Django hands over what was parsed
        differing = accuracy.check_all(stripe_gateway.background(), now=clock.now())
        for check, rows in accuracy.read_results():
            for row in rows:
                verdict = "agrees" if row.agrees else f"ours {row.ours}, theirs {row.theirs}"
                self.stdout.write(f"{check.name} {row.currency or '–'}: {verdict}")
        if differing:
            raise CommandError(f"{differing} figures differ.")
