"""What models cost, and what the API brings."""

from typing import ClassVar

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.reporting.metrics.base import Unit
from apps.reporting.metrics.rows import Column, Kind
from apps.reporting.metrics.usage import DIMENSIONS, LedgerFamily, LedgerSum


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
    only = Q(channel__in=("api", "batch"))
    formula = _(
        "The price of settled API answers of the day, never part of MRR. It is paid from prepaid credit; credit that "
        "was given, not bought, brings no money, so this figure is not part of the margin."
    )


class Cost(LedgerFamily):
    """Money of the ledger."""

    name = "cost"
    metrics = (ModelCost(), UsageRevenue())
