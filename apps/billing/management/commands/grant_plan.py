"""Gives a plan: `manage.py grant_plan ana@example.org premium --until 2026-12-31 --reason "…"`, or takes it back."""

from argparse import ArgumentParser
from datetime import UTC, datetime, time, timedelta

from django.core.management.base import BaseCommand, CommandError
from django.utils.dateparse import parse_date

from apps.accounts.models import User
from apps.billing import entitlements, grants
from apps.billing.errors import NotGrantable
from apps.billing.grants import Span
from apps.billing.models import BillingAccount, PlanGrant
from apps.core import clock


class Command(BaseCommand):
    """An act of staff: it needs a reason, and leaves an audit entry beside the grant."""

    help = "Give a plan to an account, or take back what was given."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("plan", help="its key in the catalogue, for example premium")
        parser.add_argument("--from", dest="first", help="the first day, in UTC, as 2026-12-01; without it: now")
        parser.add_argument("--until", dest="last", help="the last day, in UTC, as 2026-12-31; without it: for good")
        parser.add_argument("--reason", required=True, help="why; kept in the audit log")
        parser.add_argument("--revoke", action="store_true", help="take back every grant of this plan")

    def handle(self, *_arguments: object, **options: str | None) -> None:
        now, email = clock.now(), str(options["email"]).lower()
        person = User.objects.filter(email=email).first()
        if person is None:
            raise CommandError(f"Nobody has the address {email}.")
        account, plan, reason = entitlements.account_for(person, now=now), str(options["plan"]), str(options["reason"])
        try:
            if options["revoke"]:
                done = _revoke(account, plan, reason, now=now)
            else:
                span = Span(_day(options["first"]) or now, _day(options["last"], days=1))
                grants.give(account, plan, span, reason=reason, by=None, now=now)
                done = "Given"
        except NotGrantable as error:
            raise CommandError(str(error.sentence)) from error
        has = entitlements.plan_for(account, now=now).key
        self.stdout.write(f"{done}. {email} is on the {has} plan now.")


def _revoke(account: BillingAccount, plan: str, reason: str, *, now: datetime) -> str:
    found = PlanGrant.objects.open(at=now).filter(account=account, plan_id=plan)
    taken = [grants.revoke(grant, reason=reason, by=None, now=now) for grant in found]
    return f"{sum(taken)} taken back" if any(taken) else "There was nothing to take back"


def _day(text: str | None, *, days: int = 0) -> datetime | None:
    """The beginning of a day, or of one so many days after it."""
    if text is None:
        return None
    try:
        day = parse_date(text)
    except ValueError:
        day = None
    if day is None:
        raise CommandError(f"{text} is not a day; write it like 2026-12-31.")
    return datetime.combine(day + timedelta(days=days), time.min, tzinfo=UTC)
