"""What developers' programs ask, by key, model and channel."""

from collections.abc import Iterable
from datetime import date
from typing import ClassVar
from uuid import UUID

from django.db.models import Aggregate, Count, F, QuerySet, Sum
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.core.errors import Invalid
from apps.developer.models import ApiKey
from apps.reporting.days import Period
from apps.reporting.metrics.base import Fact, Slice, StoredMetric, Unit
from apps.reporting.metrics.cost import LedgerMoney
from apps.reporting.metrics.rows import Cell, Column, KeysetRows, Kind, Part, Rows
from apps.reporting.metrics.usage import LedgerFamily, LedgerSum, settled
from apps.usage.models import UsageLedger

NAMED_KEYS = 100  # of a day: the others are summed up in one line
CHANNELS = ("api", "batch")


class KeyedSum(LedgerSum):
    """A sum over API answers; the keys that asked most on the day by name, all others together."""

    dimensions: ClassVar[dict[str, str]] = {"model": "model", "channel": "channel", "reason": "key_id"}

    def source(self, period: Period) -> QuerySet[UsageLedger]:
        return settled(period).filter(channel__in=CHANNELS)

    def rows(self, part: Slice) -> Rows:
        try:
            UUID(part.only.get("reason", str(UUID(int=0))))
        except ValueError:
            raise Invalid(_("There is no such key."), field="reason") from None
        return super().rows(part)

    def compute(self, day: date) -> Iterable[Fact]:
        busiest = self.source(Period(day, day)).values("key_id").annotate(asked=Count("pk"))
        named = {row["key_id"] for row in busiest.order_by("-asked", "key_id")[:NAMED_KEYS]}
        total: Aggregate = Sum(self.column) if self.column else Count("pk")
        sums: dict[tuple[str, ...], int] = {}
        for row in self.source(Period(day, day)).values(*self.dimensions.values()).annotate(total=total).order_by():
            row["key_id"] = row["key_id"] if row["key_id"] in named else None
            key = tuple(str(row[column] or "") for column in self.dimensions.values())
            sums[key] = sums.get(key, 0) + int(row["total"] or 0)
        for key, value in sums.items():
            yield Fact(self.slug, value, **dict(zip(self.dimensions, key, strict=True)))


class ApiAnswers(KeyedSum):
    """API answers."""

    slug = "api_answers"
    title = _("API answers")
    unit = Unit.COUNT
    column = ""
    formula = _("Settled answers of the day that a program asked for with a key.")


class ApiTokens(KeyedSum):
    """Tokens of API answers."""

    slug = "api_tokens"
    title = _("API tokens")
    unit = Unit.TOKENS
    column = "tokens"
    formula = _("Tokens read and written by API answers of the day.")

    def source(self, period: Period) -> QuerySet[UsageLedger]:
        return super().source(period).annotate(tokens=F("input_tokens") + F("output_tokens"))


class ApiPrice(KeyedSum, LedgerMoney):
    """What API answers cost those who asked."""

    slug = "api_price"
    title = _("Price of API answers")
    unit = Unit.MONEY
    column = "price_micro"
    dimensions: ClassVar[dict[str, str]] = {**KeyedSum.dimensions, "currency": "currency"}
    formula = _("What API answers of the day cost the accounts that asked, whoever paid for their credit.")


class ActiveKeys(StoredMetric):
    """Keys in use."""

    slug = "active_keys"
    title = _("Keys in use")
    unit = Unit.COUNT
    is_balance = True
    formula = _("Keys with at least one settled answer on the last day.")

    def compute(self, day: date) -> Iterable[Fact]:
        yield Fact(self.slug, self._keys(Period(day, day)).count())

    def rows(self, part: Slice) -> Rows:
        columns = (
            Column("created_at", _("Created"), Kind.TIME), Column("account", _("Account")), Column("key", _("Key")),
        )  # fmt: skip
        found = self._keys(Period(part.period.last, part.period.last))
        return KeysetRows(columns, Part(found, "created_at", _cells))

    def _keys(self, period: Period) -> QuerySet[ApiKey]:
        asked = settled(period).filter(channel__in=CHANNELS).values("key_id")
        found: QuerySet[ApiKey] = ApiKey.objects.filter(pk__in=asked)
        return found


class Developer(LedgerFamily):
    """Filled from API answers of the ledger."""

    name = "developer"
    metrics = (ApiAnswers(), ApiTokens(), ApiPrice(), ActiveKeys())


def names_of_keys(values: Iterable[str]) -> dict[str, str]:
    """Keys as their owners see them: the name and the characters that tell them apart."""
    rows = ApiKey.objects.filter(pk__in=[UUID(value) for value in values if value])
    return {"": gettext("other keys"), **{str(row.pk): f"{row.name} ({row.hint})" for row in rows}}


def _cells(row: ApiKey) -> tuple[Cell, ...]:
    return (row.created_at, str(row.account_id), row.hint)
