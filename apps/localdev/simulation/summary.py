"""What a simulation left behind, read from the tables of the product."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, F, Q, QuerySet, Sum

from apps.billing.models import BillingAccount, InvoiceMirror, SubscriptionMirror
from apps.core import money
from apps.inference.models import Run
from apps.localdev.simulation.parameters import Parameters
from apps.usage.models import UsageLedger

MONTH = timedelta(days=30)


@dataclass(frozen=True)
class Summary:
    """Money in micro-units, by currency."""

    accounts: int
    active: int  # in the last 30 days
    answers: int
    refusals: int  # that left a run; what the page refuses at once leaves none
    fallbacks: int
    paying: int
    churned: int
    failed_payments: int
    recovered: int
    mrr_micro: Mapping[str, int]
    cost_micro: Mapping[str, int]

    def lines(self) -> list[tuple[str, str]]:
        """As a table."""
        return [
            ("Accounts", f"{self.accounts:,}"),
            ("Active in the last 30 days", f"{self.active:,}"),
            ("Answers", f"{self.answers:,}"),
            ("Refusals", f"{self.refusals:,}"),
            ("Fallbacks", f"{self.fallbacks:,}"),
            ("Paying", f"{self.paying:,}"),
            ("Churned", f"{self.churned:,}"),
            ("Failed payments", f"{self.failed_payments:,}"),
            ("Recovered", f"{self.recovered:,}"),
            ("MRR", written(self.mrr_micro)),
            ("Model cost", written(self.cost_micro)),
        ]


def read(parameters: Parameters) -> Summary:
    """Count what is there."""
    mine = Q(account__owner__email__startswith=parameters.prefix)
    settled = UsageLedger.objects.filter(mine, kind=UsageLedger.Kind.SETTLE)
    subscriptions: QuerySet[SubscriptionMirror] = SubscriptionMirror.objects.filter(mine)
    paying = SubscriptionMirror.objects.live().filter(mine, mrr_micro__gt=0)
    gone = subscriptions.exclude(account__in=paying.values("account"))
    failed = InvoiceMirror.objects.filter(mine, first_failed_at__isnull=False).exclude(
        billing_reason="subscription_create"
    )
    return Summary(
        accounts=BillingAccount.objects.filter(owner__email__startswith=parameters.prefix).count(),
        active=_active(settled, parameters.until),
        answers=settled.count(),
        refusals=Run.objects.filter(mine, state=Run.State.FAILED, refusal__isnull=False).count(),
        fallbacks=Run.objects.filter(mine).exclude(requested_model="").count(),
        paying=paying.values("account").distinct().count(),
        churned=gone.values("account").distinct().count(),
        failed_payments=failed.count(),
        recovered=failed.filter(status="paid").count(),
        mrr_micro=_sums(paying, "mrr_micro", "currency"),
        cost_micro=_sums(settled, "cost_micro", "cost_currency"),
    )


def progress(parameters: Parameters) -> tuple[int, int, int, Mapping[str, int]]:
    """Accounts, answers, those who pay, and MRR: what a bar shows."""
    mine = Q(account__owner__email__startswith=parameters.prefix)
    paying = SubscriptionMirror.objects.live().filter(mine, mrr_micro__gt=0)
    return (
        BillingAccount.objects.filter(owner__email__startswith=parameters.prefix).count(),
        UsageLedger.objects.filter(mine, kind=UsageLedger.Kind.SETTLE).count(),
        paying.count(),
        _sums(paying, "mrr_micro", "currency"),
    )


def written(sums: Mapping[str, int]) -> str:
    """Sums of money in each currency: “USD 1,234.00 + EUR 56.00”."""
    parts = (f"{currency.upper()} {money.decimal_from_micro(sums[currency]):,.2f}" for currency in sorted(sums))
    return " + ".join(reversed(list(parts))) or "0.00"


def _active(settled: "QuerySet[UsageLedger]", until: datetime) -> int:
    lately = settled.filter(occurred_at__gte=until - MONTH)
    found = lately.aggregate(found=Count("account", distinct=True))["found"]
    return int(found)


def _sums(rows: "QuerySet[SubscriptionMirror] | QuerySet[UsageLedger]", column: str, by: str) -> Mapping[str, int]:
    found = rows.values(by).annotate(total=Sum(F(column))).order_by()
    return {row[by]: int(row["total"]) for row in found}
