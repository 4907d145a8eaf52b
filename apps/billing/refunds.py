"""Money that staff give back: asked for with a reason, agreed to by a second person where it is much, then sent.

A refund ends no subscription, and an ending gives nothing back: each is its own row of the outbox, and only what was
chosen is done.
"""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from apps.accounts import audit
from apps.accounts.models import User
from apps.billing import differences, offers, outbox
from apps.billing.differences import Difference
from apps.billing.errors import NotRefundable
from apps.billing.models import BillingAccount, InvoiceMirror, PaymentMirror, RefundRequest
from apps.core import guards

State, Ending = RefundRequest.State, RefundRequest.Ending
WHYS = ("requested_by_customer", "duplicate", "fraudulent")  # Stripe's words
NOT_GIVEN = ("failed", "canceled")
FAILED = "refund_failed"  # the kind of a difference: the bank did not take the money back


@dataclass(frozen=True)
class Wish:
    """What staff want given back of an invoice, in minor units of its currency, and what else is to happen."""

    amount_minor: int
    why: str
    reason: str
    ending: str = Ending.KEEP
    has_credit_note: bool = False


def left_minor(invoice: InvoiceMirror) -> int:
    """What of an invoice can still be given back: paid by card, not refunded by anybody, and not promised."""
    payment = payment_of(invoice)
    if payment is None:
        return 0
    refunds = invoice.account.refunds.filter(stripe_payment_intent_id=payment.pk).exclude(status__in=NOT_GIVEN)
    given = refunds.aggregate(sum=Sum("amount_minor"))["sum"] or 0
    promised = invoice.refund_requests.promised().aggregate(sum=Sum("amount_minor"))["sum"] or 0
    return max(0, payment.amount_minor - given - promised - _unmirrored(invoice))


def payment_of(invoice: InvoiceMirror) -> PaymentMirror | None:
    """The payment that paid an invoice; None where no card did."""
    found: PaymentMirror | None = invoice.payments.filter(status="succeeded").order_by("-created").first()
    return found


def ask(invoice: InvoiceMirror, wish: Wish, *, by: User, now: datetime) -> RefundRequest:
    """Ask for a refund; up to the setting's amount it is on its way with that.

    Effect  an act: the request, the rows of the outbox, and an audit entry, or none of them.
    Raises  NotRefundable: more than is left, nothing to give back, no reason.
    """
    with transaction.atomic(durable=True):
        account = BillingAccount.objects.select_for_update(no_key=True).get(pk=invoice.account_id)
        payment = _check(invoice, wish)
        needs_second = wish.amount_minor > settings.REFUND_ALONE_MINOR
        request = RefundRequest.objects.create(
            account=account,
            invoice=invoice,
            stripe_payment_intent_id=payment.pk,
            amount_minor=wish.amount_minor,
            why=wish.why,
            reason=wish.reason,
            ending=wish.ending,
            has_credit_note=wish.has_credit_note,
            state=State.WAITING if needs_second else State.APPROVED,
            asked_by=by,
            asked_at=now,
        )
        if not needs_second:
            _send(request, now=now)
        audit.record(by, "refund.ask", subject=account.owner, reason=wish.reason, details=_facts(request), now=now)
    return request


def give_back_bought_twice(invoice: InvoiceMirror, *, now: datetime) -> RefundRequest | None:
    """Give back all that is left of an invoice that was paid by mistake; None where nothing is. A step.

    The system asks, so no second person does: `billing.duplicates` says when, and the catalogue whether.
    """
    guards.inside_transaction()
    payment, left = payment_of(invoice), left_minor(invoice)
    if payment is None or left == 0:
        return None
    request = RefundRequest.objects.create(
        account=invoice.account,
        invoice=invoice,
        stripe_payment_intent_id=payment.pk,
        amount_minor=left,
        why="duplicate",
        reason="bought twice",
        ending=Ending.KEEP,
        state=State.APPROVED,
        asked_at=now,
    )
    _send(request, now=now)
    return request


def approve(request: RefundRequest, *, by: User, now: datetime) -> None:
    """Agree to what somebody else asked for. An act.

    Raises  NotRefundable: it is one's own, or somebody decided before.
    """
    _decide(request, State.APPROVED, by, "", now=now)


def reject(request: RefundRequest, *, reason: str, by: User, now: datetime) -> None:
    """Refuse what somebody else asked for; nothing is given back. An act.

    Raises  NotRefundable: no reason, one's own, or somebody decided before.
    """
    if not reason.strip():
        raise NotRefundable(_("Please say why; the reason is kept in the audit log."), field="reason")
    _decide(request, State.REJECTED, by, reason, now=now)


def follow(account: BillingAccount, *, now: datetime) -> None:
    """Tell staff of refunds that the bank did not take. A step of a sync."""
    guards.inside_transaction()
    for refund in account.refunds.filter(status="failed"):
        amount = offers.money(refund.amount_minor, refund.currency)
        differences.note(Difference(FAILED, refund.pk, ours=amount, stripe=refund.status), account, now=now)


def _decide(request: RefundRequest, state: str, by: User, reason: str, *, now: datetime) -> None:
    if request.asked_by_id == by.pk:
        raise NotRefundable(_("Somebody else must decide about what you asked for."))
    with transaction.atomic(durable=True):
        waiting = RefundRequest.objects.filter(pk=request.pk, state=State.WAITING)
        if not waiting.update(state=state, decided_by=by, decided_at=now):
            raise NotRefundable(_("Somebody decided about this refund before you."))
        request.refresh_from_db()
        if state == State.APPROVED:
            _send(request, now=now)
        action = "refund.approve" if state == State.APPROVED else "refund.reject"
        subject = request.account.owner
        audit.record(by, action, subject=subject, reason=reason or request.reason, details=_facts(request), now=now)


def _check(invoice: InvoiceMirror, wish: Wish) -> PaymentMirror:
    if not wish.reason.strip():
        raise NotRefundable(_("Please say why; the reason is kept in the audit log."), field="reason")
    if wish.why not in WHYS or wish.ending not in Ending.values:
        raise NotRefundable(_("Please choose one of the answers."), field="why")
    left, payment = left_minor(invoice), payment_of(invoice)
    if payment is None or left == 0:
        raise NotRefundable(_("Nothing of this invoice is left to give back."), field="amount")
    if not 0 < wish.amount_minor <= left:
        words = {"amount": offers.money(left, invoice.currency)}
        raise NotRefundable(_("At most %(amount)s of this invoice can be given back.") % words, field="amount")
    return payment


def _send(request: RefundRequest, *, now: datetime) -> None:
    """What was chosen becomes rows of the outbox: the refund, and the ending. The credit note follows the refund."""
    account = request.account
    key, named = str(request.pk), {"request": str(request.pk)}
    outbox.add(outbox.REFUND, f"refund:{key}", named, account, now=now)
    if request.ending == Ending.KEEP or not request.invoice.stripe_subscription_id:
        return
    subscription = account.subscriptions.filter(pk=request.invoice.stripe_subscription_id).first()
    if subscription is None or subscription.ended_at is not None:
        return
    if request.ending == Ending.NOW:
        outbox.cancel_subscription(subscription, now=now)
    else:
        outbox.add(outbox.END, f"end:{subscription.pk}:{key}", {"subscription": subscription.pk}, account, now=now)


def _unmirrored(invoice: InvoiceMirror) -> int:
    """What Stripe gave back for us and the mirror does not show yet."""
    done = invoice.refund_requests.filter(state=State.DONE).exclude(stripe_refund_id="")
    mirrored = invoice.account.refunds.values("stripe_refund_id")
    return done.exclude(stripe_refund_id__in=mirrored).aggregate(sum=Sum("amount_minor"))["sum"] or 0


def _facts(request: RefundRequest) -> dict[str, object]:
    return {
        "request": str(request.pk),
        "invoice": request.invoice_id,
        "amount_minor": request.amount_minor,
        "currency": request.invoice.currency,
        "ending": request.ending,
        "state": request.state,
    }
