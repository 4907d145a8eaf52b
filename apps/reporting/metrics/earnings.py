"""What of the money that was billed is earned by now."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from itertools import chain
from typing import Any
from uuid import UUID

from django.db.models import CharField, F, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce, Greatest
from django.utils.translation import gettext_lazy as _

from apps.billing.models import (
    CreditPayment,
    DisputeMirror,
    InvoiceMirror,
    PaymentMirror,
    RefundMirror,
    SubscriptionMirror,
    SubscriptionState,
)
from apps.core.money import micro_from_minor
from apps.reporting import days, population, recognition
from apps.reporting.days import Period
from apps.reporting.metrics.base import Change, Fact, Family, Slice, StoredMetric, Unit
from apps.reporting.metrics.rows import Cell, Column, KeysetRows, Kind, Part, Rows

SOON = timedelta(hours=1)  # an invoice is made a moment before the state that it pays

EARNED_COLUMNS = (
    Column("account", _("Account")),
    Column("kind", _("Kind")),
    Column("document", _("Document")),
    Column("plan", _("Plan")),
    Column("service_from", _("From"), Kind.DAY),
    Column("service_until", _("Until"), Kind.DAY),
    Column("currency", _("Currency")),
    Column("total", _("Total"), Kind.MONEY),
    Column("recognised", _("Recognised"), Kind.MONEY),
)


class RecognisedRevenue(StoredMetric):
    """Subscription revenue as it is earned, day by day."""

    slug = "recognised_revenue"
    title = _("Recognised revenue")
    unit = Unit.MONEY
    dimensions = ("plan", "currency")
    formula = _(
        "Paid subscription invoices without tax, spread evenly over the days they were paid for (a running total is "
        "rounded to the minor unit, so that the parts add up to the invoice exactly), less refunds and lost disputes "
        "on their day, without their tax. An invoice paid late restates the days before. API usage is not in it: that "
        "is API revenue."
    )

    def compute(self, day: date) -> Iterable[Fact]:
        totals: dict[tuple[str, str], int] = {}
        for row, minor in _pieces(Period(day, day)):
            key = (row.plan, row.currency)
            totals[key] = totals.get(key, 0) + micro_from_minor(minor)
        return [Fact(self.slug, value, plan=plan, currency=currency) for (plan, currency), value in totals.items()]

    def rows(self, part: Slice) -> Rows:
        period = part.period
        only = Q(**{name: value for name, value in part.only.items() if name in self.dimensions})
        return KeysetRows(
            EARNED_COLUMNS,
            Part(invoices_serving(period).filter(only), "created", lambda invoice: _invoice_cells(invoice, period)),
            Part(refunds_in(period).filter(only), "created", lambda refund: _back_cells("refund", refund)),
            Part(lost_disputes_in(period).filter(only), "created", lambda dispute: _back_cells("dispute", dispute)),
        )


class Earnings(Family):
    """Filled from mirrored invoices, refunds and disputes."""

    name = "earnings"
    metrics = (RecognisedRevenue(),)

    def first_day(self) -> date | None:
        starts = InvoiceMirror.objects.exclude(period_start=None).order_by("period_start")
        created = InvoiceMirror.objects.order_by("created")
        firsts = (
            starts.values_list("period_start", flat=True).first(),
            created.values_list("created", flat=True).first(),
        )
        return min((days.day_of(moment) for moment in firsts if moment), default=None)

    def changes(self, since: datetime | None) -> Iterator[Change]:
        """An invoice changes the days it serves and those of its money back; money back changes its own day."""
        recent = Q(synced_at__gt=since) if since else Q()
        for invoice in InvoiceMirror.objects.filter(recent).iterator():
            service = _service(invoice)
            yield Change(service.first, service.stop - days.ONE_DAY, invoice.synced_at)
        for moment, at in _went_back(since):
            yield Change(days.day_of(moment), days.day_of(moment), at)

    def source_rows(self, day: date) -> int:
        return invoices_serving(Period(day, day)).count()


def invoices_serving(period: Period) -> QuerySet[Any]:  # Any: with one more column
    """Paid subscription invoices that may earn something in a period; not those of the API, earned as it is used."""
    dated = Q(period_start__lt=period.end) & (Q(period_end__gte=period.start) | Q(period_start__gte=period.start))
    undated = Q(period_start=None, created__gte=period.start, created__lt=period.end)
    paid = InvoiceMirror.objects.filter(population.counted("account__"), status="paid")
    metered = SubscriptionMirror.objects.filter(plan=None, items__price__usage_type="metered")
    sold = paid.exclude(stripe_subscription_id="").exclude(stripe_subscription_id__in=metered.values("pk"))
    return with_plan(sold.exclude(total_minor=0).filter(dated | undated), F("stripe_subscription_id"))


def refunds_in(period: Period) -> QuerySet[Any]:
    """Refunds of a period that went through; those of credit take what the API earned."""
    return _back(RefundMirror.objects.filter(status="succeeded"), period)


def lost_disputes_in(period: Period) -> QuerySet[Any]:
    """Disputes opened in a period that were lost."""
    return _back(DisputeMirror.objects.filter(status="lost"), period)


def _back(rows: QuerySet[Any], period: Period) -> QuerySet[Any]:  # Any: of two tables
    within = Q(created__gte=period.start, created__lt=period.end)
    of_credit = Q(stripe_payment_intent_id__in=CreditPayment.objects.values("pk"))
    payments = PaymentMirror.objects.filter(pk=OuterRef("stripe_payment_intent_id"))
    of_invoice = {
        name: Coalesce(Subquery(payments.values(f"invoice__{column}")), 0)
        for name, column in (("paid_minor", "total_minor"), ("paid_tax_minor", "tax_minor"))
    }
    before = rows.filter(
        Q(created__lt=OuterRef("created")) | Q(created=OuterRef("created"), pk__lt=OuterRef("pk")),
        stripe_payment_intent_id=OuterRef("stripe_payment_intent_id"),
    )
    sums = before.order_by().values("stripe_payment_intent_id").annotate(sum=Sum("amount_minor"))
    found = rows.filter(population.counted("account__"), within).exclude(of_credit).annotate(**of_invoice)
    with_sums = found.annotate(back_before_minor=Coalesce(Subquery(sums.values("sum")), 0))
    return with_plan(with_sums, Subquery(payments.values("invoice__stripe_subscription_id")))


def _went_back(since: datetime | None) -> Iterator[tuple[datetime, datetime]]:
    """When money went back of which something is known anew, be it of its invoice; and since when."""
    payments = PaymentMirror.objects.filter(pk=OuterRef("stripe_payment_intent_id"))
    known_at = Greatest("synced_at", Subquery(payments.values("invoice__synced_at")))
    of_invoices = PaymentMirror.objects.filter(invoice__synced_at__gt=since) if since else PaymentMirror.objects.none()
    recent = Q(synced_at__gt=since) | Q(stripe_payment_intent_id__in=of_invoices.values("pk")) if since else Q()
    tables: tuple[QuerySet[Any], ...] = (RefundMirror.objects.all(), DisputeMirror.objects.all())  # of two tables
    for table in tables:
        yield from table.filter(recent).values_list("created", known_at).iterator()


def with_plan(rows: QuerySet[Any], subscription: F | Subquery) -> QuerySet[Any]:  # Any: with one more column
    """Rows with the plan that the subscription had when they were made; empty where that is not known."""
    states = SubscriptionState.objects.filter(
        subscription_id=OuterRef("of_subscription"), effective_at__lte=OuterRef("created") + SOON
    )
    plan = Subquery(states.order_by("-effective_at", "-observed_at", "-pk").values("plan_id")[:1])
    known = Coalesce(plan, Value(""), output_field=CharField())
    found: QuerySet[Any] = rows.annotate(of_subscription=subscription).annotate(plan=known)
    return found


def earned_by_account(period: Period) -> Iterator[tuple[UUID, str, int]]:
    """What was earned in a period, piece by piece: account, currency, minor units."""
    for row, minor in _pieces(period):
        yield row.account_id, row.currency, minor


def _pieces(period: Period) -> Iterator[tuple[Any, int]]:
    for invoice in invoices_serving(period).iterator():
        yield invoice, _service(invoice).earned_in(period)
    for back in chain(refunds_in(period).iterator(), lost_disputes_in(period).iterator()):
        yield back, -_net_of(back)


def _service(invoice: InvoiceMirror) -> recognition.Service:
    net = invoice.total_minor - invoice.tax_minor
    if invoice.period_start is None:
        return recognition.service_of(net, invoice.created, None)
    return recognition.service_of(net, invoice.period_start, invoice.period_end)


def _net_of(back: Any) -> int:  # noqa: ANN401 with more columns
    """What went back without tax: a running total is rounded, so that all parts of an invoice make the whole of it."""
    before = back.back_before_minor
    through, until = (
        recognition.without_tax(amount, back.paid_minor, back.paid_tax_minor)
        for amount in (before + back.amount_minor, before)
    )
    return through - until


def _invoice_cells(invoice: Any, period: Period) -> tuple[Cell, ...]:  # noqa: ANN401 with one more column
    service = _service(invoice)
    until = service.stop - days.ONE_DAY
    total, earned = micro_from_minor(service.amount_minor), micro_from_minor(service.earned_in(period))
    document = invoice.stripe_invoice_id
    account, plan = str(invoice.account_id), invoice.plan
    return (account, "invoice", document, plan, service.first, until, invoice.currency, total, earned)


def _back_cells(kind: str, row: Any) -> tuple[Cell, ...]:  # noqa: ANN401 with one more column
    day, back = days.day_of(row.created), -micro_from_minor(_net_of(row))
    return (str(row.account_id), kind, str(row.pk), row.plan, day, day, row.currency, back, back)
