"""Money that came, went back, or did not come."""

from django.db.models import Count, F, Sum
from django.db.models.functions import TruncDate
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.billing.models import DisputeMirror, InvoiceMirror, PaymentMirror
from apps.core.money import micro_from_minor
from apps.reporting import links, population, wording
from apps.reporting.days import start_of, zone
from apps.reporting.facts import Facts
from apps.reporting.figures import Figures
from apps.reporting.metrics.cash import failed_renewals
from apps.reporting.metrics.rows import Column, Kind
from apps.reporting.scope import Scope
from apps.reporting.sheets.base import Line, Panel, Sheet, Split, Table

MOST = 50


class FailingPanel(Panel):
    """Renewals that fail now."""

    slug = "failing"
    title = _("Failing now")
    meaning = _("Open renewals whose payment failed at least once, the largest first: whom to write to.")

    def read(self, scope: Scope, _facts: Facts) -> Table:
        """The fifty largest."""
        columns = (
            Column("account", _("Account")),
            Column("document", _("Document")),
            Column("since", _("First failed"), Kind.TIME),
            Column("attempts", _("Attempts"), Kind.COUNT),
            Column("currency", _("Currency")),
            Column("amount", _("Amount"), Kind.MONEY),
        )
        rows = failed_renewals().filter(status="open").order_by("-amount_due_minor", "pk")[:MOST]
        return Table(columns, [
            Line(
                (row.account_id.hex[-8:], row.pk, row.first_failed_at, row.attempt_count, row.currency,
                 micro_from_minor(row.amount_due_minor)),
                _opens(row),
            )
            for row in rows
        ])  # fmt: skip


class DisputesPanel(Panel):
    """Disputes that wait for an answer."""

    slug = "disputes"
    title = _("Disputes to answer")
    meaning = _("Disputes for which Stripe still takes an answer, the next deadline first.")

    def read(self, scope: Scope, _facts: Facts) -> Table:
        """The fifty most urgent."""
        columns = (
            Column("account", _("Account")),
            Column("document", _("Document")),
            Column("reason", _("Reason")),
            Column("due", _("Answer by"), Kind.TIME),
            Column("currency", _("Currency")),
            Column("amount", _("Amount"), Kind.MONEY),
        )
        waiting = DisputeMirror.objects.filter(population.counted("account__"), status__endswith="needs_response")
        return Table(columns, [
            Line(
                (row.account_id.hex[-8:], row.pk, row.reason, row.evidence_due_by, row.currency,
                 micro_from_minor(row.amount_minor)),
                _opens(row),
            )
            for row in waiting.order_by("evidence_due_by", "pk")[:MOST]
        ])  # fmt: skip


class PayoutsPanel(Panel):
    """Money that is on its way to us."""

    slug = "payouts"
    title = _("Payouts expected")
    meaning = _(
        "Payments less what Stripe keeps of them, by the day on which the rest can be paid out, from today on. Refunds "
        "and disputes of these days are not taken off. Payments that are paid out in another currency than they were "
        "made in are not here. Stripe pays out by its own schedule."
    )

    def read(self, scope: Scope, _facts: Facts) -> Table:
        """One line for each day and currency; at most fifty."""
        columns = (
            Column("day", _("Day"), Kind.DAY),
            Column("payments", _("Payments"), Kind.COUNT),
            Column("currency", _("Currency")),
            Column("amount", _("Amount"), Kind.MONEY),
            Column("fees", _("Payment fees"), Kind.MONEY),
            Column("expected", _("Expected"), Kind.MONEY),
        )
        coming = PaymentMirror.objects.filter(
            population.counted("account__"), status="succeeded", available_on__gte=start_of(scope.today),
            fee_currency=F("currency"),
        )  # fmt: skip
        by_day = coming.annotate(day=TruncDate("available_on", tzinfo=zone())).values_list("day", "currency")
        totals = by_day.annotate(Count("pk"), Sum("amount_minor"), Sum("fee_minor")).order_by("day", "currency")[:MOST]
        lines = []
        for day, currency, count, paid, kept in totals:
            amounts = (micro_from_minor(minor) for minor in (paid, kept, paid - kept))
            lines.append(Line((day, count, currency, *amounts)))
        return Table(columns, lines)


def _opens(row: InvoiceMirror | DisputeMirror) -> dict[str, str]:
    return {
        "account": links.address_of("account", str(row.account_id)),
        "document": links.address_of("document", row.pk),
    }


def lead(figures: Figures) -> str:
    """What came in, and what of it is in danger."""
    came, risk = figures.leading("net_cash"), figures.leading("at_risk")
    words = gettext("{net} came in over {days} days, net of refunds and disputes; {risk} is at risk.")
    return words.format(
        net=wording.amount(came.value, came), days=came.period.length, risk=wording.amount(risk.value, risk)
    )


PAYMENTS = Sheet(
    slug="payments",
    title=_("Payments"),
    lead=lead,
    cards=("charged", "refunded", "disputed", "payment_fees", "net_cash", "failed_renewals", "recovered_renewals",
           "payment_recovery", "at_risk"),
    filters=("currency",),
    splits=(Split("reason", ("refunded",), _("Refunds, by reason")),),
    panels=(FailingPanel(), DisputesPanel(), PayoutsPanel()),
    files=("payments",),
)  # fmt: skip
