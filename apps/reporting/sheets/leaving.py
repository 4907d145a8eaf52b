"""Who is about to leave, and what those who leave say."""

from datetime import timedelta

from django.db.models import Count, F, Q, Sum
from django.db.models.functions import Coalesce, TruncMonth
from django.utils.translation import gettext_lazy as _

from apps.billing.models import InvoiceMirror, PlanChange, SubscriptionMirror, SubscriptionState
from apps.reporting import names, population
from apps.reporting.days import start_of, zone
from apps.reporting.facts import Facts
from apps.reporting.metrics.base import ratio
from apps.reporting.metrics.rows import Column, Kind
from apps.reporting.months import months_to
from apps.reporting.scope import Scope
from apps.reporting.sheets.base import Line, Panel, Table

PAID_BY = timedelta(days=7)  # after a trial's end
MONTHS = 12


class EndingPanel(Panel):
    """MRR that is going to end, by month."""

    slug = "ending"
    title = _("Going to end")
    meaning = _(
        "Scheduled churn: MRR of subscriptions that were cancelled and run until the end of what is paid, by that "
        "day, as it stands now. It is in the MRR until then, and leaves this table when somebody changes their mind."
    )

    def read(self, scope: Scope, _facts: Facts) -> Table:
        """The next month first."""
        ends = Coalesce("cancel_at", "current_period_end")
        going = SubscriptionMirror.objects.filter(
            Q(cancel_at_period_end=True) | Q(cancel_at__isnull=False), population.counted("account__"),
            status__in=("active", "past_due"), ended_at=None, gone_at=None,
        )  # fmt: skip
        by_month = (
            going.annotate(month=TruncMonth(ends, tzinfo=zone())).exclude(month=None).values_list("month", "currency")
        )
        columns = (
            Column("month", _("Month")),
            Column("subscriptions", _("Paid subscriptions"), Kind.COUNT),
            Column("currency", _("Currency")),
            Column("mrr", _("MRR"), Kind.MONEY),
        )
        found = by_month.annotate(many=Count("pk"), mrr=Sum("mrr_micro")).order_by("month", "currency")
        return Table(columns, [Line((f"{month:%Y-%m}", many, currency, mrr)) for month, currency, many, mrr in found])


class ReasonsPanel(Panel):
    """What people say when they cancel."""

    slug = "reasons"
    title = _("Why people cancel")
    meaning = _("What people chose when they cancelled in these days, if they liked to say it; the words are Stripe’s.")

    def read(self, scope: Scope, _facts: Facts) -> Table:
        """The most frequent first."""
        said = PlanChange.objects.filter(
            population.counted("account__"), kind=PlanChange.Kind.CANCEL, state=PlanChange.State.DONE,
            agreed_at__gte=scope.period.start, agreed_at__lt=scope.period.end,
        )  # fmt: skip
        by_reason = said.values_list("feedback").annotate(many=Count("pk")).order_by("-many", "feedback")
        columns = (Column("reason", _("Reason")), Column("people", _("People"), Kind.COUNT))
        return Table(columns, [Line((names.name_of("feedback", word), many)) for word, many in by_reason])


class TrialsPanel(Panel):
    """What becomes of trials."""

    slug = "trials"
    title = _("Trials")
    meaning = _(
        "Of the trials that began in a month and are over: the share with a paid invoice above nothing by seven days "
        "after the trial’s end. The invoice of nothing that opens a trial is no payment."
    )

    def read(self, scope: Scope, _facts: Facts) -> Table:
        """The latest month first."""
        first = months_to(scope.period.last, MONTHS)[0].first
        rows = _trials_since(scope, start_of(first).isoformat())
        columns = (
            Column("month", _("Month")),
            Column("begun", _("Begun"), Kind.COUNT),
            Column("ended", _("Over"), Kind.COUNT),
            Column("paid", _("Paid"), Kind.COUNT),
            Column("conversion", _("Conversion"), Kind.RATIO),
        )
        return Table(
            columns, [Line((month, begun, over, paid, ratio(paid, over))) for month, begun, over, paid in rows]
        )


def _trials_since(scope: Scope, since: str) -> list[tuple[str, int, int, int]]:
    states = SubscriptionState.objects.filter(
        population.counted("account__"), status="trialing", effective_at__gte=since
    )
    begun: dict[str, str] = {}
    for key, at in states.order_by("effective_at").values_list("subscription_id", "effective_at"):
        begun.setdefault(key, f"{at.astimezone(zone()):%Y-%m}")
    over = SubscriptionMirror.objects.filter(pk__in=begun, trial_end__lte=scope.now)
    paid = InvoiceMirror.objects.filter(stripe_subscription_id__in=begun, status="paid", total_minor__gt=0).values_list(
        "stripe_subscription_id", "paid_at"
    )
    ends = dict(over.values_list("pk", F("trial_end")))
    payers = {key for key, at in paid if key in ends and at is not None and at <= ends[key] + PAID_BY}
    return [
        (
            month,
            sum(1 for one in begun.values() if one == month),
            sum(1 for key in ends if begun[key] == month),
            sum(1 for key in payers if begun[key] == month),
        )
        for month in sorted(set(begun.values()), reverse=True)
    ]
