"""`manage.py merge_accounts FROM INTO --reason "…"`: what one account bought belongs to another from then on."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.accounts.models import User
from apps.billing import entitlements, merging
from apps.billing.errors import NotMergeable
from apps.billing.models import BillingAccount
from apps.core import clock


class Command(BaseCommand):
    """Moves subscriptions, invoices and the customer at Stripe; chats, keys and API credit stay where they are."""

    help = "Moves what one account bought to another account of the same person."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("source", metavar="FROM", help="e-mail address of the account that gives")
        parser.add_argument("into", metavar="INTO", help="e-mail address of the account that takes")
        parser.add_argument("--reason", required=True, help="kept in the audit log")

    def handle(self, *_args: Any, **options: Any) -> None:  # noqa: ANN401 Django's own signature
        source, into = (self._account(options[name]) for name in ("source", "into"))
        try:
            merging.merge(source, into, reason=options["reason"], by=None, now=clock.now())
        except NotMergeable as error:
            raise CommandError(str(error.sentence)) from error
        self.stdout.write(f"{options['source']} is merged into {options['into']}.")

    def _account(self, email: str) -> BillingAccount:
        person = User.objects.filter(email__iexact=email).first()
        if person is None:
            raise CommandError(f"Nobody has the address {email}.")
        return entitlements.account_for(person, now=clock.now())
