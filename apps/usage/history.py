"""What was used, when: summed up in quarters of an hour as it is settled, and read by day from there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db.models import F, Sum
from django.db.models.functions import TruncDate

from apps.billing.models import BillingAccount
from apps.core import ids, money
from apps.usage.models import UsageLedger, UsageSlice
from apps.usage.roundtrip import Statement

QUARTER_MINUTES = 15
ADD = """
    INSERT INTO usage_usageslice AS slice
           (id, account_id, starts_at, channel, model, key_id, currency,
            answers, estimated, messages, input_tokens, output_tokens, price_micro)
    VALUES (%s, %s, %s, %s, %s, %s, %s, 1, %s, %s, %s, %s, %s)
    ON CONFLICT (account_id, starts_at, channel, model, key_id, currency) DO UPDATE
       SET answers = slice.answers + 1,
           estimated = slice.estimated + EXCLUDED.estimated,
           messages = slice.messages + EXCLUDED.messages,
           input_tokens = slice.input_tokens + EXCLUDED.input_tokens,
           output_tokens = slice.output_tokens + EXCLUDED.output_tokens,
           price_micro = slice.price_micro + EXCLUDED.price_micro
"""


@dataclass(frozen=True)
class Day:
    """What an account used on one day, in one currency."""

    day: date
    answers: int
    messages: int
    tokens: int
    estimated: int  # of the answers: those whose tokens we counted
    price_micro: int
    currency: str

    @property
    def price(self) -> Decimal:
        """For showing."""
        return money.decimal_from_micro(self.price_micro)


def slice_start(moment: datetime) -> datetime:
    """The quarter of an hour in which a moment lies."""
    return moment.replace(minute=moment.minute - moment.minute % QUARTER_MINUTES, second=0, microsecond=0)


def counting(row: UsageLedger) -> list[Statement]:
    """Count a settled ledger row in its quarter of an hour: a statement to ask; none when nothing came."""
    if row.provenance == UsageLedger.Provenance.NONE:
        return []
    facts = (
        ids.uuid7(), row.account_id, slice_start(row.occurred_at), row.channel, row.model, row.key_id, row.currency,
        int(row.provenance == UsageLedger.Provenance.ESTIMATED), row.messages, row.input_tokens, row.output_tokens,
        row.price_micro,
    )  # fmt: skip
    return [Statement(ADD, facts)]


def by_day(account: BillingAccount, *, days: int, zone: ZoneInfo, now: datetime) -> Sequence[Day]:
    """What was settled on each of the last days, in the person's zone, the latest first; empty days are left out."""
    today = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    first = today - timedelta(days=days - 1)  # by the calendar: a day of 23 or 25 hours is one day
    rows = (
        UsageSlice.objects.filter(account=account, starts_at__gte=first)
        .annotate(day=TruncDate("starts_at", tzinfo=zone))
        .values("day", "currency")
        .annotate(
            all_answers=Sum("answers"),
            all_messages=Sum("messages"),
            all_tokens=Sum(F("input_tokens") + F("output_tokens")),
            all_estimated=Sum("estimated"),
            all_price=Sum("price_micro"),
        )
        .order_by("-day", "currency")
    )
    return [
        Day(
            day=row["day"],
            answers=row["all_answers"],
            messages=row["all_messages"],
            tokens=row["all_tokens"],
            estimated=row["all_estimated"],
            price_micro=row["all_price"],
            currency=row["currency"],
        )
        for row in rows
    ]
