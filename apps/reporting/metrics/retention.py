"""Who stays: rates of churn and of what is kept, worked out from movements and the MRR of the period's start."""

from django.utils.translation import gettext_lazy as _

from apps.reporting.metrics.base import DerivedMetric, Parts, Unit, ratio
from apps.reporting.metrics.movements import (
    ChurnedCustomers,
    ChurnMrr,
    ContractionMrr,
    ExpansionMrr,
    LostOfStart,
    NewCustomers,
    NewMrr,
    ReactivatedCustomers,
    ReactivationMrr,
    StartChurn,
    StartContraction,
    StartExpansion,
)
from apps.reporting.metrics.revenue import Mrr, PayingCustomers


class CustomerChurn(DerivedMetric):
    """The share of paying customers that is lost."""

    slug = "customer_churn"
    title = _("Customer churn")
    unit = Unit.RATIO
    more_is = "bad"
    parts = (PayingCustomers, LostOfStart)
    formula = _(
        "Customers who paid when the month began and pay nothing any more, over all who paid when it began. Who joined "
        "and left within the month is shown apart. Over other days than a calendar month, each month's own losses are "
        "added up."
    )

    def combine(self, parts: Parts) -> int | None:
        return ratio(parts.sum(LostOfStart.slug), parts.start(PayingCustomers.slug))


class StripeChurn(DerivedMetric):
    """Customer churn as Stripe's Dashboard counts it."""

    slug = "stripe_churn"
    title = _("Subscriber churn, as Stripe counts")
    unit = Unit.RATIO
    more_is = "bad"
    parts = (PayingCustomers, ChurnedCustomers, NewCustomers, ReactivatedCustomers)
    formula = _(
        "All customers lost in the days over those who paid at their start and those who came: Stripe's way, over 30 "
        "days, to compare with its Dashboard. Ours leaves out who came."
    )

    def combine(self, parts: Parts) -> int | None:
        came = parts.sum(NewCustomers.slug) + parts.sum(ReactivatedCustomers.slug)
        return ratio(parts.sum(ChurnedCustomers.slug), parts.start(PayingCustomers.slug) + came)


class GrossMrrChurn(DerivedMetric):
    """The share of MRR that is lost."""

    slug = "gross_mrr_churn"
    title = _("Gross MRR churn")
    unit = Unit.RATIO
    more_is = "bad"
    parts = (Mrr, ChurnMrr, ContractionMrr)
    formula = _("Churned and contracted MRR over the MRR when the days began.")

    def combine(self, parts: Parts) -> int | None:
        return ratio(parts.sum(ChurnMrr.slug) + parts.sum(ContractionMrr.slug), parts.start(Mrr.slug))


class NetMrrChurn(DerivedMetric):
    """The share of MRR that is lost, less what old customers brought."""

    slug = "net_mrr_churn"
    title = _("Net MRR churn")
    unit = Unit.RATIO
    more_is = "bad"
    parts = (Mrr, ChurnMrr, ContractionMrr, ExpansionMrr, ReactivationMrr)
    formula = _(
        "Churned and contracted MRR, less expansion and reactivation, over the MRR when the days began; below nothing "
        "when old customers bring more than is lost."
    )

    def combine(self, parts: Parts) -> int | None:
        lost = parts.sum(ChurnMrr.slug) + parts.sum(ContractionMrr.slug)
        return ratio(lost - parts.sum(ExpansionMrr.slug) - parts.sum(ReactivationMrr.slug), parts.start(Mrr.slug))


class Grr(DerivedMetric):
    """What is kept of the start's MRR."""

    slug = "grr"
    title = _("GRR")
    unit = Unit.RATIO
    parts = (Mrr, StartChurn, StartContraction)
    formula = _(
        "Gross revenue retention: of the MRR of those who paid at the month's start, what is left after churn and "
        "contraction. Never above 100 %; who comes back is not counted."
    )

    def combine(self, parts: Parts) -> int | None:
        start = parts.start(Mrr.slug)
        return ratio(start - parts.sum(StartChurn.slug) - parts.sum(StartContraction.slug), start)


class Nrr(DerivedMetric):
    """What the start's customers pay now."""

    slug = "nrr"
    title = _("NRR")
    unit = Unit.RATIO
    parts = (Mrr, StartChurn, StartContraction, StartExpansion)
    formula = _(
        "Net revenue retention: as GRR, with what the same customers pay more. New customers and those who come back "
        "are not counted."
    )

    def combine(self, parts: Parts) -> int | None:
        start = parts.start(Mrr.slug)
        lost = parts.sum(StartChurn.slug) + parts.sum(StartContraction.slug)
        return ratio(start + parts.sum(StartExpansion.slug) - lost, start)


class QuickRatio(DerivedMetric):
    """MRR gained for each one lost."""

    slug = "quick_ratio"
    title = _("Quick ratio")
    unit = Unit.TIMES
    parts = (NewMrr, ExpansionMrr, ReactivationMrr, ContractionMrr, ChurnMrr)
    formula = _("New, expansion and reactivation MRR over contraction and churn; n/a when nothing is lost.")

    def combine(self, parts: Parts) -> int | None:
        won = parts.sum(NewMrr.slug) + parts.sum(ExpansionMrr.slug) + parts.sum(ReactivationMrr.slug)
        return ratio(won, parts.sum(ContractionMrr.slug) + parts.sum(ChurnMrr.slug))


class QuickRatioWithout(DerivedMetric):
    """The quick ratio of those who leave reactivation out."""

    slug = "quick_ratio_without"
    title = _("Quick ratio without reactivation")
    unit = Unit.TIMES
    parts = (NewMrr, ExpansionMrr, ContractionMrr, ChurnMrr)
    formula = _("New and expansion MRR over contraction and churn: as Baremetrics counts it.")

    def combine(self, parts: Parts) -> int | None:
        won = parts.sum(NewMrr.slug) + parts.sum(ExpansionMrr.slug)
        return ratio(won, parts.sum(ContractionMrr.slug) + parts.sum(ChurnMrr.slug))
