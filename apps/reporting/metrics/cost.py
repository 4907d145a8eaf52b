"""What models cost, and what the API brings."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import ClassVar

from django.conf import settings
from django.db.models import BigIntegerField, Q, QuerySet, Sum, Value
from django.utils.translation import gettext_lazy as _

from apps.billing import plans
from apps.reporting import population
from apps.reporting.days import Period
from apps.reporting.metrics.base import Fact, Slice, StoredMetric, Unit
from apps.reporting.metrics.rows import Column, KeysetRows, Kind, Part, Rows
from apps.reporting.metrics.usage import DIMENSIONS, LedgerFamily, LedgerSum, settled
from apps.usage.models import UsageLedger

EARNED_COLUMNS = (
    Column("occurred_at", _("When"), Kind.TIME),
    Column("account", _("Account")),
    Column("kind", _("Kind")),
    Column("plan", _("Plan")),
    Column("currency", _("Currency")),
    Column("earned", _("Earned"), Kind.MONEY),
)


class LedgerMoney(LedgerSum):
    """A sum of money over the ledger's settled rows."""

    unit = Unit.MONEY
    dimensions: ClassVar[dict[str, str]] = {**DIMENSIONS, "currency": "currency"}

    def value_columns(self) -> tuple[Column, ...]:
        return (
            Column("input_tokens", _("Tokens read"), Kind.COUNT),
            Column("output_tokens", _("Tokens written"), Kind.COUNT),
            Column("currency", _("Currency")),
            Column(self.column, self.title, Kind.MONEY),
        )


class ModelCost(LedgerMoney):
    """What the models' answers cost us."""

    slug = "model_cost"
    title = _("Model cost")
    more_is = "bad"
    column = "cost_micro"
    dimensions: ClassVar[dict[str, str]] = {**DIMENSIONS, "currency": "cost_currency"}
    formula = _(
        "What the answers of the day cost us: tokens times the catalogue's cost of the model, rounded up once per "
        "answer. The answers of free accounts are in it; those of staff and internal accounts are not."
    )


class UsageRevenue(LedgerMoney):
    """The price of API answers."""

    slug = "usage_revenue"
    title = _("API usage")
    column = "price_micro"
    formula = _(
        "The price of settled API answers of the day, never part of MRR. It is paid from prepaid credit or with the "
        "month’s invoice; credit that was given, not bought, brings no money: what is earned of it is another figure."
    )

    def source(self, period: Period) -> QuerySet[UsageLedger]:
        return settled(period).filter(channel__in=("api", "batch"))


class FreeModelCost(ModelCost):
    """What free accounts cost us."""

    slug = "free_model_cost"
    title = _("Model cost of free accounts")
    formula = _(
        "The part of the model cost that went to accounts on a plan that is not sold, guests included. It is in the "
        "margin of the whole, and in that of no paid plan."
    )

    def source(self, period: Period) -> QuerySet[UsageLedger]:
        return settled(period).filter(plan_key__in=unsold_plans())


class Infrastructure(LedgerMoney):
    """What answers cost us besides the model."""

    slug = "infrastructure"
    title = _("Infrastructure")
    more_is = "bad"
    column = "infrastructure"
    dimensions: ClassVar[dict[str, str]] = {**DIMENSIONS, "currency": "reporting_currency"}
    formula = _(
        "Answers of the day times what the setting CAUSERIE_INFRASTRUCTURE_MICRO_PER_ANSWER says one costs in servers, "
        "storage and mail. Whoever changes the setting rebuilds the facts of the days that it is to hold for."
    )

    def source(self, period: Period) -> QuerySet[UsageLedger]:
        each = Value(infrastructure_micro(), output_field=BigIntegerField())
        return settled(period).annotate(infrastructure=each, reporting_currency=Value(plans.catalogue().currencies[0]))


class ApiRevenue(StoredMetric):
    """What of the API's money is earned."""

    slug = "api_revenue"
    title = _("API revenue")
    unit = Unit.MONEY
    dimensions = ("plan", "currency")
    formula = _(
        "Bought credit on the day it is used or ends unused, and answers that the month’s invoice charges on the day "
        "they are given. Credit that was given brings nothing. What is refunded though it was used is taken off on the "
        "day of the refund."
    )

    def compute(self, day: date) -> Iterable[Fact]:
        groups = earning(Period(day, day)).values("plan_key", "currency").annotate(total=Sum("earned_micro"))
        for group in groups.order_by():
            yield Fact(self.slug, int(group["total"]), plan=group["plan_key"], currency=group["currency"])

    def rows(self, part: Slice) -> Rows:
        columns = {"plan": "plan_key", "currency": "currency"}
        chosen = {columns[name]: value for name, value in part.only.items() if name in columns}
        return KeysetRows(EARNED_COLUMNS, Part(earning(part.period).filter(**chosen), "occurred_at", _cells))


class Cost(LedgerFamily):
    """Money of the ledger."""

    name = "cost"
    metrics = (ModelCost(), FreeModelCost(), Infrastructure(), UsageRevenue(), ApiRevenue())


def earning(period: Period) -> QuerySet[UsageLedger]:
    """The counted rows of a period by which something became revenue, of whatever kind."""
    within = Q(occurred_at__gte=period.start, occurred_at__lt=period.end)
    return UsageLedger.objects.filter(within, population.counted("account__")).exclude(earned_micro=0)


def unsold_plans() -> list[str]:
    """Plans that nobody pays for."""
    return [key for key, terms in plans.catalogue().plans.items() if not terms.prices]


def infrastructure_micro() -> int:
    """What one answer costs besides the model, in micro-units of the reporting currency."""
    return int(settings.INFRASTRUCTURE_MICRO_PER_ANSWER)


def _cells(row: UsageLedger) -> tuple[str | int | datetime, ...]:
    return (row.occurred_at, str(row.account_id), row.kind, row.plan_key, row.currency, row.earned_micro)
