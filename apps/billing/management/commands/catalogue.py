"""`manage.py catalogue diff|apply`: what the catalogue would change here and at Stripe, and changing it."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.billing import entitlements, plans, publication, stripe_gateway
from apps.billing.publication import Publication
from apps.core import clock
from apps.core.errors import CauserieError

YES = "yes"


class Command(BaseCommand):
    """Archives and never deletes; may run as often as one likes."""

    help = "Shows (diff) or makes (apply) what project/catalogue.toml says about plans, products and prices."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("act", choices=["diff", "apply"])
        parser.add_argument("--yes", action="store_true", help="do not ask again, not even where money is real")

    def handle(self, *_args: Any, **options: Any) -> None:  # noqa: ANN401 Django's own signature
        try:
            self._run(options["act"], is_sure=options["yes"])
        except CauserieError as error:
            raise CommandError(f"{error.sentence} ({error.code})") from error

    def _run(self, act: str, *, is_sure: bool) -> None:
        catalogue = plans.load(settings.CATALOGUE_PATH)
        changes = Publication(catalogue, stripe_gateway.background()).changes()
        for change in changes:
            self.stdout.write(str(change))
        if not changes:
            self.stdout.write("Nothing to do: all is as the catalogue says.")
        elif act == "diff":
            self.stdout.write(f"{len(changes)} changes; `manage.py catalogue apply` makes them.")
        elif entitlements.is_live() and not is_sure and not self._agrees():
            raise CommandError("Nothing was changed.")
        else:
            publication.publish(changes, now=clock.now())
            self.stdout.write(f"Done: {len(changes)} changes.")

    def _agrees(self) -> bool:
        return input("The Stripe key is live: people will pay these prices. Type “yes” to go on: ").strip() == YES
