"""How the outbox gives money back and writes the credit note. What Stripe may have done already is looked for first."""

from django.db import transaction

from apps.billing import stripe_gateway
from apps.billing.errors import MissingAtStripe, PaymentRefused, PaymentsAway
from apps.billing.models import RefundRequest, StripeOutbox
from apps.billing.stripe_facts import REQUEST
from apps.core import jobs

State = RefundRequest.State
NOTE = "credit_note"
TEXT = 300
NOTE_REASONS = {"requested_by_customer": "order_change", "duplicate": "duplicate", "fraudulent": "fraudulent"}


def give_back(row: StripeOutbox) -> bool:
    """Make one refund at Stripe, once: the one that carries our mark counts, whenever it was made.

    Raises  PaymentRefused: Stripe says no, and the request says what it said. PaymentsAway.
    """
    request = RefundRequest.objects.select_related("invoice").get(pk=row.payload["request"])
    gateway, payment = stripe_gateway.background(), request.stripe_payment_intent_id
    params = {
        "payment_intent": payment,
        "amount": request.amount_minor,
        "reason": request.why,
        "metadata": {REQUEST: str(request.pk)},
    }
    try:
        made = next((one.id for one in gateway.list_refunds(payment) if one.request == str(request.pk)), None)
        _note_done(request, made or gateway.create_refund(params, key=_key(row)).id)
    except (PaymentRefused, MissingAtStripe) as error:
        RefundRequest.objects.filter(pk=request.pk).update(state=State.FAILED, error=str(error.sentence)[:TEXT])
        raise PaymentRefused(str(error.sentence), code=error.code) from error
    except PaymentsAway as error:
        _spend_key(row, error)
        raise
    return True


def write_credit_note(row: StripeOutbox) -> bool:
    """Write the credit note of a refund that was made, once.

    Raises  PaymentRefused, PaymentsAway.
    """
    request = RefundRequest.objects.select_related("invoice").get(pk=row.payload["request"])
    gateway = stripe_gateway.background()
    if any(note.request == str(request.pk) for note in gateway.list_credit_notes(request.invoice_id)):
        return True
    params = {
        "invoice": request.invoice_id,
        "amount": request.amount_minor,
        "refunds": [{"refund": request.stripe_refund_id, "amount_refunded": request.amount_minor}],
        "reason": NOTE_REASONS[request.why],
        "metadata": {REQUEST: str(request.pk)},
    }
    try:
        gateway.create_credit_note(params, key=_key(row))
    except PaymentsAway as error:
        _spend_key(row, error)
        raise
    return True


def _note_done(request: RefundRequest, refund: str) -> None:
    """What Stripe made is written down, and its credit note wanted. An act."""
    with transaction.atomic(durable=True):
        RefundRequest.objects.filter(pk=request.pk).update(state=State.DONE, stripe_refund_id=refund, error="")
        if request.has_credit_note:
            key, payload = f"{NOTE}:{request.pk}", {"request": str(request.pk)}
            note = StripeOutbox(kind=NOTE, key=key, payload=payload, account=request.account, next_at=request.asked_at)
            StripeOutbox.objects.bulk_create([note], ignore_conflicts=True)
            jobs.enqueue("billing.send_outbox")


def _key(row: StripeOutbox) -> str:
    """The key of this try: the row's, until Stripe has answered under it with a fault of its own."""
    turn = row.payload.get("turn", "0")
    return row.key if turn == "0" else f"{row.key}:{turn}"


def _spend_key(row: StripeOutbox, error: PaymentsAway) -> None:
    if error.spends_key:
        turn = str(int(row.payload.get("turn", "0")) + 1)
        StripeOutbox.objects.filter(pk=row.pk).update(payload={**row.payload, "turn": turn})
