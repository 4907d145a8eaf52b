"""Money as it came and went, by the day of each event, and payments that failed."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any, ClassVar

from django.db.models import F, Q, QuerySet, Sum
from django.utils.translation import gettext_lazy as _

from apps.billing.models import DisputeMirror, InvoiceMirror, PaymentMirror, RefundMirror
from apps.core.money import micro_from_minor
from apps.reporting import days, population
from apps.reporting.metrics.base import Change, DerivedMetric, Fact, Parts, Slice, StoredMetric, Unit, ratio
from apps.reporting.metrics.counted import CountedFamily, CountedMetric
from apps.reporting.metrics.earnings import with_plan
from apps.reporting.metrics.rows import Column, KeysetRows, Kind, Part, Rows

RENEWALS = ("subscription_cycle", "subscription_update", "subscription_threshold")
WON = ("won", "warning_needs_response", "warning_under_review", "warning_closed", "prevented")
GIVEN_UP = ("uncollectible", "void")
ACCOUNT, CURRENCY = Column("account", _("Account")), Column("currency", _("Currency"))
WHEN, AMOUNT = Column("at", _("When"), Kind.TIME), Column("amount", _("Amount"), Kind.MONEY)
INVOICE_COLUMNS = {
    Column("first_failed_at", _("First failed"), Kind.TIME): "first_failed_at",
    ACCOUNT: "account_id",
    Column("document", _("Document")): "stripe_invoice_id",
    Column("status", _("Status")): "status",
    Column("attempts", _("Attempts"), Kind.COUNT): "attempt_count",
    Column("paid_at", _("Paid"), Kind.TIME): "paid_at",
    CURRENCY: "currency",
    AMOUNT: "amount_due_minor",
}


class CashMetric(CountedMetric):
    """Money in minor units of one table."""

    unit = Unit.MONEY
    minor = True
    dimensions = {"currency": "currency"}


class Charged(CashMetric):
    """What was charged."""

    slug = "charged"
    title = _("Charged")
    moment = "created"
    total = Sum("amount_minor")
    columns = {WHEN: "created", ACCOUNT: "account_id", Column("document", _("Document")): "pk",
               Column("card", _("Card")): "card_brand", CURRENCY: "currency", AMOUNT: "amount_minor"}  # fmt: skip
    formula = _(
        "Payments that succeeded, by the day of the payment: subscriptions, credit and usage, with tax, before fees. "
        "What is earned of it, and when, is recognised revenue."
    )

    def source(self) -> QuerySet[Any]:
        return PaymentMirror.objects.filter(population.counted("account__"), status="succeeded")


class Refunded(CashMetric):
    """What was given back."""

    slug = "refunded"
    title = _("Refunded")
    more_is = "bad"
    moment = "created"
    total = Sum("amount_minor")
    dimensions = {"currency": "currency", "reason": "reason"}
    columns = {WHEN: "created", ACCOUNT: "account_id", Column("document", _("Document")): "pk",
               Column("reason", _("Reason")): "reason", CURRENCY: "currency", AMOUNT: "amount_minor"}  # fmt: skip
    formula = _("Refunds that went through, by their day. They are no movement of the MRR.")

    def source(self) -> QuerySet[Any]:
        return RefundMirror.objects.filter(population.counted("account__"), status="succeeded")


class Disputed(CashMetric):
    """What banks took back."""

    slug = "disputed"
    title = _("Disputed")
    more_is = "bad"
    moment = "created"
    total = Sum("amount_minor")
    dimensions = {"currency": "currency", "reason": "reason"}
    columns = {WHEN: "created", ACCOUNT: "account_id", Column("document", _("Document")): "pk",
               Column("status", _("Status")): "status", Column("due", _("Answer by"), Kind.TIME): "evidence_due_by",
               CURRENCY: "currency", AMOUNT: "amount_minor"}  # fmt: skip
    formula = _("Disputes by the day they were opened, without those that were won and mere warnings.")

    def source(self) -> QuerySet[Any]:
        return DisputeMirror.objects.filter(population.counted("account__")).exclude(status__in=WON)


class PaymentFees(CashMetric):
    """What Stripe keeps."""

    slug = "payment_fees"
    title = _("Payment fees")
    more_is = "bad"
    moment = "created"
    total = Sum("fee_minor")
    dimensions = {"plan": "plan", "currency": "fee_currency"}
    columns = {WHEN: "created", ACCOUNT: "account_id", Column("document", _("Document")): "pk",
               Column("plan", _("Plan")): "plan", CURRENCY: "fee_currency", AMOUNT: "fee_minor"}  # fmt: skip
    formula = _(
        "What Stripe keeps of each payment, by the day of the payment, in the currency that is paid out. It is known a "
        "few minutes after the payment. What Stripe takes for a dispute is not in it."
    )

    def source(self) -> QuerySet[Any]:
        paid = PaymentMirror.objects.filter(population.counted("account__"), status="succeeded", fee_minor__gt=0)
        return with_plan(paid, F("invoice__stripe_subscription_id"))


class FailedRenewals(CashMetric):
    """Renewals whose payment failed at least once."""

    slug = "failed_renewals"
    title = _("Failed renewals")
    more_is = "bad"
    moment = "first_failed_at"
    total = Sum("amount_due_minor")
    columns = INVOICE_COLUMNS
    formula = _(
        "Invoices of renewals and changes whose payment failed at least once, by the day of the first failure. First "
        "payments are left out: nothing was earned yet."
    )

    def source(self) -> QuerySet[Any]:
        return failed_renewals()


class RecoveredRenewals(FailedRenewals):
    """Those of them that were paid later."""

    slug = "recovered_renewals"
    title = _("Recovered renewals")
    more_is = "good"
    formula = _("Failed renewals that were paid later, by the day of the first failure, whoever paid them and how.")

    def source(self) -> QuerySet[Any]:
        return failed_renewals().filter(status="paid")


class AtRisk(StoredMetric):
    """Open renewals whose payment failed."""

    slug = "at_risk"
    title = _("At risk")
    unit = Unit.MONEY
    is_balance = True
    more_is = "bad"
    dimensions = ("currency",)
    formula = _(
        "Renewals that were open at the end of the day with at least one failed payment. They leave when they are "
        "paid, voided or given up."
    )

    def compute(self, day: date) -> Iterable[Fact]:
        sums = _at_risk(days.end_of(day)).values_list("currency").annotate(sum=Sum("amount_due_minor"))
        return [Fact(self.slug, micro_from_minor(int(value)), currency=currency) for currency, value in sums.order_by()]

    def rows(self, part: Slice) -> Rows:
        only = {"currency": part.currency} if part.currency else {}
        cells = FailedRenewals()._cells
        return KeysetRows(
            tuple(INVOICE_COLUMNS), Part(_at_risk(part.period.end).filter(**only), "first_failed_at", cells)
        )


class NetCash(DerivedMetric):
    """What stayed of it."""

    slug = "net_cash"
    title = _("Net cash")
    unit = Unit.MONEY
    parts = (Charged, Refunded, Disputed, PaymentFees)
    formula = _("Charged, less refunded, disputed, and what Stripe keeps of payments.")

    def combine(self, parts: Parts) -> int:
        return parts.sum(Charged.slug) - sum(parts.sum(part.slug) for part in self.parts[1:])


class PaymentRecovery(DerivedMetric):
    """How much of what failed was paid after all."""

    slug = "payment_recovery"
    title = _("Payment recovery")
    unit = Unit.RATIO
    parts = (FailedRenewals, RecoveredRenewals)
    formula = _("Recovered over failed renewals, both by the day of the first failure; it may rise for weeks.")

    def combine(self, parts: Parts) -> int | None:
        return ratio(parts.sum(RecoveredRenewals.slug), parts.sum(FailedRenewals.slug))


class Cash(CountedFamily):
    """Filled from mirrored payments, refunds, disputes and invoices."""

    name = "cash"
    metrics = (Charged(), Refunded(), Disputed(), PaymentFees(), FailedRenewals(), RecoveredRenewals(), AtRisk())
    counted: ClassVar[tuple[CountedMetric, ...]] = (Charged(), Refunded(), Disputed(), FailedRenewals())

    def changes(self, since: datetime | None) -> Iterator[Change]:
        """Money changes its own day; a renewal that failed changes every day on which it may have been open."""
        for one in self.counted:
            recent = one.source().filter(synced_at__gt=since) if since else one.source()
            for moment, at in recent.values_list(one.moment, "synced_at").iterator():
                last = None if isinstance(one, FailedRenewals) else days.day_of(moment)
                yield Change(days.day_of(moment), last, at)


def failed_renewals() -> QuerySet[InvoiceMirror]:
    """Renewals and changes of whatever day with at least one failed attempt."""
    return InvoiceMirror.objects.filter(
        population.counted("account__"), first_failed_at__isnull=False, billing_reason__in=RENEWALS
    )


def _at_risk(at: datetime) -> QuerySet[InvoiceMirror]:
    """Renewals that had failed before a moment, and until then were neither paid nor given up.

    Of one that was given up before its row knew when, nobody can say until when it was open: it is left out.
    """
    was_open = Q(status="open") | Q(status="paid", paid_at__gte=at) | Q(status__in=GIVEN_UP, given_up_at__isnull=False)
    not_given_up = Q(given_up_at=None) | Q(given_up_at__gte=at)
    found = failed_renewals().filter(was_open, not_given_up, first_failed_at__lt=at)
    return found.order_by(F("first_failed_at"))
