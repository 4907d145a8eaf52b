"""Whole files for other tools: one row for each thing, whatever the page shows of it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Exists, Max, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import TruncMonth
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.billing import plans
from apps.billing.models import InvoiceMirror, PaymentMirror, SubscriptionState
from apps.core.errors import Missing
from apps.core.money import micro_from_minor
from apps.reporting import days, population
from apps.reporting.days import Period
from apps.reporting.exchange import Rates, read_rates
from apps.reporting.facts import Facts
from apps.reporting.metrics.base import Metric, ratio
from apps.reporting.metrics.families import METRICS
from apps.reporting.metrics.revenue import states_in_force
from apps.reporting.metrics.rows import Cell, Column, FixedRows, KeysetRows, Kind, Part, Rows
from apps.reporting.models import AccountMonth, FillState, MetricDay, MrrMovement
from apps.reporting.months import read_months
from apps.reporting.opened import kind_of

CURRENCY, ACCOUNT = Column("currency", _("Currency")), Column("account", _("Account"))
USAGE = {"answers": "answers", "tokens_in": "input_tokens", "tokens_out": "output_tokens", "price": "usage_revenue",
         "cost": "model_cost"}  # fmt: skip
CLOSES_AFTER = timedelta(days=3)  # the end of a month; later facts restate it
BY = ("day", "plan", "model", "backend", "channel", "provenance")


@dataclass(frozen=True)
class File:
    """One file."""

    slug: str
    title: Promise
    rows: Callable[[Period], Rows]


def get_file(slug: str) -> File:
    """The file with this slug.

    Raises  Missing: there is none.
    """
    if slug not in FILES:
        raise Missing(_("There is no such file."))
    return FILES[slug]


def customer_margins(period: Period) -> Rows:
    """What each account brought and cost in each calendar month that the period touches."""
    months = AccountMonth.objects.filter(month__range=(period.first.replace(day=1), period.last))
    columns = (
        Column("month", _("Month"), Kind.DAY), ACCOUNT, Column("plan", _("Plan")), CURRENCY,
        *(Column(name, name, Kind.COUNT) for name in ("answers", "messages", "active_days")),
        *(Column(name, name, Kind.MONEY) for name in ("revenue", "model_cost", "fees", "infrastructure", "margin")),
        Column("margin_pct", _("Gross margin"), Kind.RATIO),
    )  # fmt: skip
    return KeysetRows(columns, Part(months, "month", _margin_cells))


def mrr_by_customer_and_month(period: Period) -> Rows:
    """What each subscription billed at the end of each month; of the last one, at the end of the period."""
    columns = (
        Column("month", _("Month"), Kind.DAY), ACCOUNT, Column("stripe_customer", _("Stripe customer")),
        Column("plan", _("Plan")), Column("interval", _("Interval")), Column("status", _("Status")), CURRENCY,
        Column("mrr", _("MRR"), Kind.MONEY), Column("reporting_currency", _("Currency")),
        Column("mrr_reporting", _("MRR"), Kind.MONEY),
    )  # fmt: skip
    reporting_currency = plans.catalogue().currencies[0]
    states = SubscriptionState.objects.filter(effective_at__lt=period.end)
    rates = read_rates(
        states.values_list("currency", flat=True).distinct(),
        reporting_currency=reporting_currency,
        until=period.last,
    )
    return KeysetRows(columns, *(_mrr_part(month, reporting_currency, rates) for month in _months(period)))


def movements(period: Period) -> Rows:
    """Every change of a customer's MRR."""
    columns = (
        Column("at", _("When"), Kind.TIME), ACCOUNT,
        *(Column(name, name) for name in ("type", "cause", "from_plan", "to_plan")), CURRENCY,
        Column("delta", _("Change"), Kind.MONEY), Column("subscription", _("Subscription")),
    )  # fmt: skip
    found = MrrMovement.objects.filter(at__gte=period.start, at__lt=period.end)
    return KeysetRows(columns, Part(found, "at", _movement_cells))


def payments(period: Period) -> Rows:
    """Every invoice, with what was paid, refunded and disputed of it."""
    columns = (
        Column("invoice", _("Document")), ACCOUNT, Column("reason", _("Reason")),
        Column("created", _("Created"), Kind.TIME), Column("first_failed_at", _("First failed"), Kind.TIME),
        Column("attempts", _("Attempts"), Kind.COUNT), Column("paid_at", _("Paid"), Kind.TIME), CURRENCY,
        *(Column(name, name, Kind.MONEY) for name in ("due", "paid", "refunded", "fee")),
        Column("disputed", _("Disputed")),
    )  # fmt: skip
    within = Q(created__gte=period.start, created__lt=period.end)
    of_it = PaymentMirror.objects.filter(invoice=OuterRef("pk"))
    by_invoice = of_it.order_by().values("invoice")
    back = by_invoice.annotate(total=Sum("refunded_minor")).values("total")
    kept = by_invoice.annotate(total=Sum("fee_minor")).values("total")
    found: QuerySet[InvoiceMirror] = InvoiceMirror.objects.filter(population.counted("account__"), within)
    found = found.annotate(back=Subquery(back), kept=Subquery(kept), is_disputed=Exists(of_it.filter(is_disputed=True)))
    return KeysetRows(columns, Part(found, "created", _payment_cells))


def usage_and_cost(period: Period) -> Rows:
    """Answers, tokens, price and cost, by day and by all that is known of them."""
    facts = MetricDay.objects.filter(metric__in=USAGE.values(), day__range=(period.first, period.last))
    totals = facts.values(*BY, "currency", "metric").annotate(total=Sum("value")).order_by(*BY, "currency")
    rows: dict[tuple[object, ...], dict[str, int]] = {}
    for found in totals.iterator():
        rows.setdefault(tuple(found[name] for name in (*BY, "currency")), {})[found["metric"]] = int(found["total"])
    columns = (
        Column("day", _("Day"), Kind.DAY), *(Column(name, name) for name in BY[1:]), CURRENCY,
        *(Column(name, name, Kind.MONEY if name in ("price", "cost") else Kind.COUNT) for name in USAGE),
    )  # fmt: skip
    cells = [(*key, *(values.get(slug) for slug in USAGE.values())) for key, values in rows.items()]
    return FixedRows(columns, cells)  # type: ignore[arg-type]  # a day and texts


def metrics_summary(period: Period) -> Rows:
    """Every metric over each calendar month, of the last one up to the end of the period.

    One row counts, and one for each currency has the money. `restated_at`: when days of the month were last computed
    again after it was closed.
    """
    months, restated = _months(period), _restated(period)
    found = read_months(months, list(METRICS), {})
    metrics = list(METRICS.values())
    columns = (
        Column("period", _("Month")), CURRENCY, *(Column(one.slug, one.title, kind_of(one)) for one in metrics),
        Column("restated_at", _("Restated"), Kind.TIME),
    )  # fmt: skip
    cells = [
        (f"{month.first:%Y-%m}", currency, *_values(metrics, found, currency, month), restated.get(month.first))
        for month in months
        for currency in ("", *sorted(found.currencies()))
    ]
    return FixedRows(columns, cells)


def _values(metrics: Iterable[Metric], found: Facts, currency: str, month: Period) -> Iterator[Cell]:
    for metric in metrics:
        yield found.value(metric, currency, month) if metric.has_currency == bool(currency) else None


def _restated(period: Period) -> dict[date, datetime]:
    """Of months that are closed: when their facts were last computed after that."""
    of_days = FillState.objects.filter(day__range=(period.first.replace(day=1), period.last)).exclude(filled_at=None)
    latest = of_days.annotate(month=TruncMonth("day")).values_list("month").annotate(at=Max("filled_at")).order_by()
    closed = {month: days.end_of(days.month_of(month).last) + CLOSES_AFTER for month, _at in latest}
    return {month: at for month, at in latest if at > closed[month]}


def _months(period: Period) -> list[Period]:
    """Calendar months, the first of them whole."""
    return Period(period.first.replace(day=1), period.last).months()


def _mrr_part(month: Period, reporting_currency: str, rates: Rates) -> Part[SubscriptionState]:
    def cells(row: SubscriptionState) -> tuple[Cell, ...]:
        is_known = rates.at(row.currency, month.last) is not None
        converted = rates.convert(row.mrr_micro, row.currency, month.last) if is_known else None
        customer = row.account.stripe_customer_id or ""
        return (
            month.first, str(row.account_id), customer, row.plan_id or "", row.interval, row.status, row.currency,
            row.mrr_micro, reporting_currency, converted,
        )  # fmt: skip

    return Part(states_in_force(month.end).select_related("account"), "effective_at", cells)


def _margin_cells(row: AccountMonth) -> tuple[Cell, ...]:
    return (
        row.month, str(row.account_id), row.plan, row.currency, row.answers, row.messages, row.active_days,
        row.revenue_micro, row.model_cost_micro, row.fees_micro, row.infrastructure_micro, row.margin_micro,
        ratio(row.margin_micro, row.revenue_micro),
    )  # fmt: skip


def _movement_cells(row: MrrMovement) -> tuple[Cell, ...]:
    return (row.at, str(row.account_id), row.type, row.cause, row.from_plan, row.to_plan, row.currency,
            row.delta_micro, row.subscription_id)  # fmt: skip


def _payment_cells(row: InvoiceMirror) -> tuple[Cell, ...]:
    back: int = getattr(row, "back", 0) or 0
    kept: int = getattr(row, "kept", 0) or 0
    due, paid, refunded, fee = map(micro_from_minor, (row.amount_due_minor, row.amount_paid_minor, back, kept))
    disputed = "yes" if getattr(row, "is_disputed", False) else "no"
    return (row.pk, str(row.account_id), row.billing_reason, row.created, row.first_failed_at, row.attempt_count,
            row.paid_at, row.currency, due, paid, refunded, fee, disputed)  # fmt: skip


FILES: dict[str, File] = {
    file.slug: file
    for file in (
        File("customer_margin", _("Margin of each account and month"), customer_margins),
        File("mrr_per_customer_month", _("MRR of each customer and month"), mrr_by_customer_and_month),
        File("metrics_summary", _("Every figure, by month"), metrics_summary),
        File("mrr_movements", _("MRR movements"), movements),
        File("payments", _("Invoices and payments"), payments),
        File("usage_cost", _("Usage and cost"), usage_and_cost),
    )
}
