"""Who stays, by calendar month and by the month of signing up."""

from datetime import date, timedelta

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.reporting import lifetime, months
from apps.reporting.addresses import rows_of
from apps.reporting.days import ONE_DAY, Period, month_of
from apps.reporting.facts import Facts
from apps.reporting.metrics.base import ratio
from apps.reporting.metrics.cohorts import NO_CURRENCY
from apps.reporting.metrics.families import METRICS
from apps.reporting.metrics.rows import Cell, Column, Kind
from apps.reporting.models import CohortMonth
from apps.reporting.opened import column_of, name_in
from apps.reporting.scope import Scope
from apps.reporting.sheets.base import Line, Panel, Table

RATES = ("customer_churn", "stripe_churn", "gross_mrr_churn", "net_mrr_churn", "grr", "nrr", "quick_ratio")
COUNTS = ("new_customers", "churned_customers", "joined_and_left")
FOR_LTV = ("arpa", "margin_ratio", "paying_customers")
AVERAGED = 3  # months
COHORTS = 12
SOON = timedelta(days=30)
OPEN: Promise = _("The last month is not over yet.")


class MonthsPanel(Panel):
    """Rates of churn and retention, month by month."""

    slug = "months"
    title = _("By calendar month")
    meaning = _(
        "Rates of fewer than 20 customers are shown pale: they say little. LTV is ARPA × gross margin ÷ customer "
        "churn, each the mean of three months; n/a without churn or with fewer than 20 customers."
    )

    def read(self, scope: Scope, _facts: Facts) -> Table:
        """The latest month first."""
        shown = months.months_to(scope.period.last)
        facts = months.read_months(shown, (*RATES, *COUNTS, *FOR_LTV), scope.only)
        currency = scope.only.get("currency") or scope.reporting_currency
        columns = (
            Column("month", _("Month")),
            Column("at_start", _("Customers at the start"), Kind.COUNT),
            *(column_of(METRICS[slug]) for slug in COUNTS),
            *(column_of(METRICS[slug], _currency_of(slug, currency)) for slug in RATES),
            Column("ltv", _("LTV"), Kind.MONEY, currency=currency),
        )
        lines = [_month_line(facts, shown, index, currency, scope) for index in range(len(shown) - 1, -1, -1)]
        return Table(columns, lines, note=OPEN if _is_open(scope) else "")


class CohortPanel(Panel):
    """Of those who signed up in a month and ever paid: who still pays, so many months later."""

    slug = "cohorts"
    title = _("Still paying, by month of signing up")
    meaning = _(
        "Of the accounts that signed up in a month and ever paid, the share that paid at the end of each month since: "
        "month 0 is the one they signed up in. Who first paid later was not paying before, so a share may rise."
    )

    def read(self, scope: Scope, _facts: Facts) -> Table:
        """One line for each month of signing up, one column for each month since."""
        rows = _cohort_rows(scope, NO_CURRENCY)
        counts = (Column("accounts", _("Signed up"), Kind.COUNT), Column("ever_paid", _("Ever paid"), Kind.COUNT))
        columns = (Column("month", _("Month")), *counts, *(_nth(k, Kind.RATIO) for k in range(COHORTS)))
        lines = [_cohort_line(month, found, scope) for month, found in rows.items()]
        return Table(columns, lines, heat=_all_months(), note=OPEN if _is_open(scope) else "")


class CohortMrrPanel(Panel):
    """What those who signed up in a month bring each month since."""

    slug = "cohorts-mrr"
    title = _("Their MRR, by month of signing up")
    meaning = _(
        "MRR at the end of each month since the one of signing up, in the reporting currency. Darker is nearer to the "
        "most that the same people ever brought."
    )

    def read(self, scope: Scope, _facts: Facts) -> Table:
        """One line for each month of signing up, one column for each month since."""
        currency = scope.reporting_currency
        columns = (Column("month", _("Month")), *(_nth(k, Kind.MONEY, currency) for k in range(COHORTS)))
        rows = _cohort_rows(scope, currency)
        lines = [Line((f"{month:%Y-%m}", *_by_age(found, scope, month, "mrr_micro"))) for month, found in rows.items()]
        return Table(columns, lines, heat=_all_months(), note=OPEN if _is_open(scope) else "")


class ConversionPanel(Panel):
    """How many of those who signed up paid within a month."""

    slug = "conversion"
    title = _("Paid within 30 days of signing up")
    meaning = _(
        "Of the accounts that signed up in a month, the share whose first MRR came within 30 days of signing up. The "
        "last two months may still rise."
    )

    def read(self, scope: Scope, _facts: Facts) -> Table:
        """The latest month first."""
        latest = {month: found[-1] for month, found in _cohort_rows(scope, NO_CURRENCY).items()}
        columns = (
            Column("month", _("Month")),
            Column("accounts", _("Signed up"), Kind.COUNT),
            Column("paid", _("Paid within 30 days"), Kind.COUNT),
            Column("conversion", _("Conversion"), Kind.RATIO),
        )
        lines = []
        for month in sorted(latest, reverse=True):
            many, soon = latest[month].accounts, latest[month].paid_soon
            lines.append(Line((f"{month:%Y-%m}", many, soon, ratio(soon, many))))
        return Table(columns, lines)


def _month_line(facts: Facts, shown: list[Period], index: int, currency: str, scope: Scope) -> Line:
    month = shown[index]
    at_start = facts.by_day("paying_customers").get(month.first - ONE_DAY, 0)
    counts = [facts.value(METRICS[slug], "", month) for slug in COUNTS]
    rates = [facts.value(METRICS[slug], currency, month) for slug in RATES]
    faint = frozenset(name_in(slug, _currency_of(slug, currency)) for slug in RATES)
    opens = {slug: rows_of(slug, month, scope.only) for slug in COUNTS}
    cells: tuple[Cell, ...] = (f"{month.first:%Y-%m}", at_start, *counts, *rates, _ltv(facts, shown, index, currency))
    return Line(cells, opens, faint if at_start < lifetime.FEWEST else frozenset())


def _currency_of(slug: str, currency: str) -> str:
    return currency if METRICS[slug].has_currency else ""


def _ltv(facts: Facts, shown: list[Period], index: int, currency: str) -> int | None:
    last = shown[max(index - AVERAGED + 1, 0) : index + 1]
    means = {
        slug: lifetime.mean([facts.value(METRICS[slug], currency, month) for month in last])
        for slug in ("arpa", "margin_ratio", "customer_churn")
    }
    customers = facts.value(METRICS["paying_customers"], "", shown[index]) or 0
    return lifetime.ltv(means["arpa"], means["margin_ratio"], means["customer_churn"], customers)


def _is_open(scope: Scope) -> bool:
    """Whether the month that ends the table is not over."""
    return month_of(scope.today).first == scope.period.last.replace(day=1)


def _nth(k: int, kind: Kind, currency: str = "") -> Column:
    return Column(f"month_{k}", gettext("Month {k}").format(k=k), kind, currency=currency)


def _all_months() -> frozenset[str]:
    return frozenset(f"month_{k}" for k in range(COHORTS))


def _cohort_rows(scope: Scope, currency: str) -> dict[date, list[CohortMonth]]:
    """The cohorts of the last year by month, the latest first."""
    first = months.months_to(scope.period.last, COHORTS)[0].first
    rows = CohortMonth.objects.filter(signup_month__range=(first, scope.period.last), currency=currency)
    found: dict[date, list[CohortMonth]] = {}
    for row in rows.order_by("-signup_month", "k"):
        found.setdefault(row.signup_month, []).append(row)
    return found


def _cohort_line(month: date, found: list[CohortMonth], scope: Scope) -> Line:
    latest = max(found, key=lambda row: row.k)
    paying = _by_age(found, scope, month, "paying")
    shares: list[Cell] = [None if count is None else ratio(count, latest.ever_paid) for count in paying]
    titles = {f"month_{k}": f"{count} / {latest.ever_paid}" for k, count in enumerate(paying) if count is not None}
    return Line((f"{month:%Y-%m}", latest.accounts, latest.ever_paid, *shares), titles=titles)


def _by_age(found: list[CohortMonth], scope: Scope, month: date, name: str) -> list[int | None]:
    by_k = {row.k: int(getattr(row, name)) for row in found}
    reached = 12 * (scope.today.year - month.year) + scope.today.month - month.month
    return [by_k.get(k, 0) if k <= reached else None for k in range(COHORTS)]
