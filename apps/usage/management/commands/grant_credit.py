"""Gives API credit to an account: `manage.py grant_credit ana@example.org 5.00 --reason "sorry for the outage"`."""

from argparse import ArgumentParser
from datetime import UTC, date, datetime, time

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from apps.accounts import audit
from apps.accounts.models import User
from apps.billing import entitlements
from apps.core import clock, ids, money
from apps.usage import credits
from apps.usage.models import CreditGrant


class Command(BaseCommand):
    """An act of staff: it needs a reason, and leaves an audit entry beside the grant."""

    help = "Give API credit to an account."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("amount", help="in the currency of the account's credit, for example 5.00")
        parser.add_argument("--reason", required=True, help="why; kept in the audit log")
        parser.add_argument("--reference", help="a word of your own: the same one again gives nothing twice")
        parser.add_argument("--until", help="the last day (UTC) on which it can be spent, for example 2027-01-31")

    def handle(self, *_arguments: object, **options: str | None) -> None:
        now, reference = clock.now(), options["reference"] or str(ids.uuid7())
        person = User.objects.filter(email=str(options["email"]).lower()).first()
        if person is None:
            raise CommandError(f"Nobody has the address {options['email']}.")
        amount_micro, ends = _micro(str(options["amount"])), _end_of(options["until"], now=now)
        account = entitlements.account_for(person, now=now)
        currency = credits.currency_of(account)
        details = {"amount_micro": amount_micro, "currency": currency, "reference": reference}
        with transaction.atomic(durable=True):
            facts = CreditGrant.Source.SUPPORT, reference, amount_micro, currency
            is_new = credits.grant(account, *facts, expires_at=ends, now=now)
            if is_new:
                reason = str(options["reason"])
                audit.record(None, "credit.grant", subject=person, reason=reason, details=details, now=now)
        left = money.decimal_from_micro(credits.balance_micro(account))
        word = "Given" if is_new else f"Nothing was given: {reference} was used before"
        self.stdout.write(f"{word}. {person.email} has {left} {currency.upper()} of API credit.")


def _micro(text: str) -> int:
    try:
        amount_micro = money.micro_from_text(text)
    except ValueError:
        amount_micro = 0
    if not amount_micro:
        raise CommandError(f"{text} is not an amount; write it like 5.00.")
    return amount_micro


def _end_of(day: str | None, *, now: datetime) -> datetime | None:
    if day is None:
        return None
    try:
        end = datetime.combine(date.fromisoformat(day), time.max, UTC)
    except ValueError:
        raise CommandError(f"{day} is not a day; write it like 2027-01-31.") from None
    if end <= now:
        raise CommandError(f"{day} is over. The credit would end before it began.")
    return end
