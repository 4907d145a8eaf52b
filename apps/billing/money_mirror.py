"""What Stripe said of money becomes our rows: invoices, payments, and what of them went back. Steps of one sync."""

from collections.abc import Iterable
from datetime import datetime

from apps.billing.mirror import Values, write
from apps.billing.models import (
    BillingAccount,
    CreditNoteMirror,
    DisputeMirror,
    InvoiceMirror,
    PaymentMirror,
    RefundMirror,
)
from apps.billing.stripe_facts import Charge, CreditNote, Dispute, Invoice, Refund
from apps.core import guards

DELETED = "deleted"
SETTLED = ("paid", "void", DELETED)  # nothing but money that goes back happens to these any more


def write_invoices(account: BillingAccount, found: Iterable[Invoice], missing: Iterable[str], *, now: datetime) -> None:
    """Mirror invoices and their payments.

    missing  ids of those that Stripe does not have any more; only drafts can be deleted there.
    The first failed attempt of an open invoice is kept, for Stripe does not repeat it.
    """
    guards.inside_transaction()
    found = list(found)
    known = account.invoices.in_bulk([invoice.id for invoice in found])
    paid = account.payments.in_bulk([charge.payment_intent for invoice in found for charge in invoice.charges])
    for invoice in found:
        row = known.get(invoice.id)
        first_failed_at = (row and row.first_failed_at) or _failed_at(invoice, now=now)
        values = {**_invoice_values(account, invoice), "first_failed_at": first_failed_at}
        written = write(InvoiceMirror, row, invoice.id, values, now=now)
        for charge in invoice.charges:
            facts = _payment_values(account, charge, written)
            write(PaymentMirror, paid.get(charge.payment_intent), charge.payment_intent, facts, now=now)
    account.invoices.filter(pk__in=list(missing)).exclude(status__in=SETTLED).update(status=DELETED, synced_at=now)


def write_loose_payments(account: BillingAccount, charges: Iterable[Charge], *, now: datetime) -> None:
    """Mirror payments that belong to no invoice, such as recharges of credit; one that has an invoice keeps it."""
    guards.inside_transaction()
    known = {row.pk: row for row in account.payments.select_related("invoice")}
    for charge in charges:
        row = known.get(charge.payment_intent)
        facts = _payment_values(account, charge, row.invoice if row else None)
        write(PaymentMirror, row, charge.payment_intent, facts, now=now)


def write_money_back(
    account: BillingAccount, refunds: Iterable[Refund], disputes: Iterable[Dispute], *, now: datetime
) -> None:
    """Mirror refunds and disputes."""
    guards.inside_transaction()
    refunded = {row.pk: row for row in account.refunds.all()}
    for refund in refunds:
        write(RefundMirror, refunded.get(refund.id), refund.id, _money_back(account, refund), now=now)
    disputed = {row.pk: row for row in account.disputes.all()}
    for dispute in disputes:
        values = {**_money_back(account, dispute), "evidence_due_by": dispute.evidence_due_by}
        write(DisputeMirror, disputed.get(dispute.id), dispute.id, values, now=now)


def write_credit_notes(account: BillingAccount, notes: Iterable[CreditNote], *, now: datetime) -> None:
    """Mirror credit notes."""
    guards.inside_transaction()
    known = {row.pk: row for row in account.credit_notes.all()}
    for note in notes:
        values: dict[str, object] = {
            "account_id": account.pk,
            "stripe_invoice_id": note.invoice,
            "number": note.number,
            "amount_minor": note.amount_minor,
            "currency": note.currency,
            "status": note.status,
            "reason": note.reason,
            "created": note.created,
        }
        write(CreditNoteMirror, known.get(note.id), note.id, values, now=now)


def _invoice_values(account: BillingAccount, invoice: Invoice) -> Values:
    return {
        "account_id": account.pk,
        "stripe_subscription_id": invoice.subscription,
        "number": invoice.number,
        "status": invoice.status,
        "billing_reason": invoice.billing_reason,
        "currency": invoice.currency,
        "total_minor": invoice.total_minor,
        "tax_minor": invoice.tax_minor,
        "amount_due_minor": invoice.amount_due_minor,
        "amount_paid_minor": invoice.amount_paid_minor,
        "attempt_count": invoice.attempt_count,
        "needs_action": invoice.needs_action,
        "created": invoice.created,
        "paid_at": invoice.paid_at,
        "given_up_at": invoice.given_up_at,
        "period_start": invoice.period_start,
        "period_end": invoice.period_end,
    }


def _payment_values(account: BillingAccount, charge: Charge, invoice: InvoiceMirror | None) -> Values:
    card = ("", "") if account.erased_at else (charge.card.brand, charge.card.last4)
    return {
        "account_id": account.pk,
        "invoice_id": invoice.pk if invoice else None,
        "stripe_charge_id": charge.id,
        "status": charge.status,
        "amount_minor": charge.amount_minor,
        "refunded_minor": charge.refunded_minor,
        "currency": charge.currency,
        "is_disputed": charge.is_disputed,
        "card_brand": card[0],
        "card_last4": card[1],
        "created": charge.created,
    }


def _failed_at(invoice: Invoice, *, now: datetime) -> datetime | None:
    """When an invoice was first refused by the card; None when it never was, as far as its last try says."""
    if invoice.status != "open" or invoice.attempt_count == 0:
        return None
    failed = [charge.created for charge in invoice.charges if charge.has_failed]
    return min([*failed, *([invoice.finalized_at] if invoice.finalized_at else [])], default=now)


def _money_back(account: BillingAccount, fact: Refund | Dispute) -> Values:
    return {
        "account_id": account.pk,
        "amount_minor": fact.amount_minor,
        "currency": fact.currency,
        "status": fact.status,
        "stripe_payment_intent_id": fact.payment_intent,
        "reason": fact.reason,
        "created": fact.created,
    }
