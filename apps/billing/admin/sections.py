"""The tables of an account's page: for each, its columns and its newest rows, each with where it leads."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Model
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.billing import offers, refunds
from apps.billing.admin.base import permission
from apps.billing.models import AutoRecharge, BillingAccount, InvoiceMirror, Overage, RefundRequest
from apps.core import money

SHOWN = 20


@dataclass(frozen=True)
class Row:
    """One line; `href` shows all of it, `act` is what may be done about it."""

    cells: Sequence[object]
    href: str = ""
    act: tuple[str, str] | None = None  # words and address


@dataclass(frozen=True)
class Section:
    """One table."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Row]


def sections_of(account: BillingAccount, staff: User) -> list[Section]:
    """Everything that is known of an account, the newest first; of events no payload, for it names people."""
    may_refund = staff.has_perm(permission("add", RefundRequest))
    return [
        *_plan(account),
        *_money(account, may_refund=may_refund),
        *_pay_as_you_go(account),
        *_between_us(account),
    ]


def _plan(account: BillingAccount) -> list[Section]:
    return [
        _table(_("Subscriptions"), (_("Stripe id"), _("Plan"), _("Status"), _("Renews or ends"), _("Card")),
               account.subscriptions.select_related("plan").order_by("-started_at"),
               lambda row: (row.pk, row.plan or "–", row.status, row.ended_at or row.current_period_end,
                            f"{row.card_brand} {row.card_last4}".strip() or "–")),
        _table(_("Plan changes"), (_("Date"), _("What"), _("State"), _("Price"), _("Takes effect"), _("Error")),
               account.plan_changes.select_related("to_price").order_by("-created_at"),
               lambda row: (row.created_at, row.kind, row.state, row.to_price or "–", row.takes_effect_at or "–",
                            row.error or "–")),
    ]  # fmt: skip


def _money(account: BillingAccount, *, may_refund: bool) -> list[Section]:
    return [
        Section(_("Invoices"), (_("Number"), _("Date"), _("Status"), _("Total"), _("Paid"), ""),
                [_invoice(row, may_refund=may_refund) for row in account.invoices.order_by("-created")[:SHOWN]]),
        _table(_("Refunds that staff asked for"),
               (_("Amount"), _("State"), _("Asked by"), _("Reason"), _("What became of it")),
               account.refund_requests.select_related("invoice", "asked_by").order_by("-asked_at"),
               lambda row: (offers.money(row.amount_minor, row.invoice.currency), row.state, row.asked_by or "–",
                            row.reason or "–", row.error or row.stripe_refund_id or "–")),
        _table(_("Refunds at Stripe"), (_("Stripe id"), _("Date"), _("Amount"), _("Status")),
               account.refunds.order_by("-created"),
               lambda row: (row.pk, row.created, offers.money(row.amount_minor, row.currency), row.status)),
        _table(_("Credit notes"), (_("Number"), _("Date"), _("Invoice"), _("Amount"), _("Status")),
               account.credit_notes.order_by("-created"),
               lambda row: (row.number, row.created, row.stripe_invoice_id,
                            offers.money(row.amount_minor, row.currency), row.status)),
        _table(_("Disputes"), (_("Stripe id"), _("Status"), _("Amount"), _("Reason"), _("Answer by")),
               account.disputes.order_by("-created"),
               lambda row: (row.pk, row.status, offers.money(row.amount_minor, row.currency), row.reason or "–",
                            row.evidence_due_by or "–")),
    ]  # fmt: skip


def _pay_as_you_go(account: BillingAccount) -> list[Section]:
    charged = Overage.objects.filter(account=account).first()
    currency = charged.currency if charged else account.currency
    words = {True: _("Yes"), False: _("No")}
    return [
        _table(_("Credit purchases"), (_("Date"), _("What"), _("Amount"), _("State"), _("Error")),
               account.credit_purchases.order_by("-created_at"),
               lambda row: (row.created_at, row.kind, offers.money(row.amount_minor, row.currency), row.state,
                            row.failure_code or "–")),
        _table(_("Auto-recharge"), (_("On"), _("Below"), _("Amount"), _("At most a month"), _("Turned off because")),
               AutoRecharge.objects.filter(account=account),
               lambda row: (words[row.is_on], _micro(row.threshold_micro, row.currency),
                            offers.money(row.amount_minor, row.currency), offers.money(row.most_minor, row.currency),
                            row.off_reason or "–")),
        _table(_("Usage charges"), (_("On"), _("At most a month"), _("Subscription"), _("Since")),
               Overage.objects.filter(account=account),
               lambda row: (words[row.is_on], _micro(row.cap_micro, row.currency), row.stripe_subscription_id or "–",
                            row.changed_at)),
        _table(_("Usage told to Stripe"), (_("Used"), _("Amount"), _("State"), _("Told as of"), _("Tries"), _("Error")),
               account.meter_outbox.order_by("-ts"),
               lambda row: (row.ts, _micro(row.value, currency), row.state, row.reported_ts or "–", row.attempts,
                            row.error or "–")),
    ]  # fmt: skip


def _between_us(account: BillingAccount) -> list[Section]:
    """What was decided here, asked of Stripe and heard from there."""
    return [
        _table(_("Access"), (_("From"), _("Plan"), _("Source"), _("Reason"), _("Until")),
               account.snapshots.select_related("plan_version__plan").order_by("-version"),
               lambda row: (row.valid_from, row.plan_version.plan, row.source, row.reason, row.valid_until or "–")),
        _table(_("Wanted of Stripe, and letters"), (_("What"), _("State"), _("Tries"), _("Next"), _("Error")),
               account.outbox.order_by("-next_at"),
               lambda row: (row.payload.get("letter", row.kind), row.state, row.attempts, row.next_at,
                            row.error or "–")),
        _table(_("Events"), (_("Received"), _("Type"), _("Object"), _("State")),
               account.events.defer("payload").order_by("-received_at"),
               lambda row: (row.received_at, row.type, row.object_id, row.state)),
        _table(_("What does not fit"), (_("Since"), _("Kind"), _("Here"), _("At Stripe"), _("Over")),
               account.drift_items.order_by("-first_seen"),
               lambda row: (row.first_seen, row.kind, row.ours or "–", row.stripe or "–", row.fixed_at or "–")),
    ]  # fmt: skip


def _table(
    title: str, columns: Sequence[str], rows: Iterable[Model], cells: Callable[..., Sequence[object]]
) -> Section:
    shown = rows[:SHOWN]  # type: ignore[index]  # a QuerySet of any model
    return Section(title, columns, [Row(cells(row), _address(row)) for row in shown])


def _invoice(row: InvoiceMirror, *, may_refund: bool) -> Row:
    amounts = (offers.money(minor, row.currency) for minor in (row.total_minor, row.amount_paid_minor))
    can = may_refund and refunds.left_minor(row) > 0
    refund = (_("Refund"), reverse("admin:billing_refundrequest_add", query={"invoice": row.pk})) if can else None
    return Row((row.number or row.pk, row.created, row.status, *amounts), _address(row), refund)


def _micro(amount_micro: int, currency: str) -> str:
    """An amount in micro-units, to the last one."""
    units, rest = divmod(amount_micro, money.MICRO)
    return f"{units}.{rest:06} {currency.upper()}".strip()


def _address(row: Model) -> str:
    return reverse(f"admin:billing_{row._meta.model_name}_change", args=[row.pk])
