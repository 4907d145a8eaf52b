"""Collecting an invoice: charging the right card, and what follows when that succeeds, fails or needs a person."""

from dataclasses import dataclass

from apps.stripe_sandbox import dunning, events, intents, invoicing, payment_methods, standing, store
from apps.stripe_sandbox.cards import Decline, Verdict
from apps.stripe_sandbox.documents import Document, public
from apps.stripe_sandbox.errors import StripeError, declined

NO_CARD = Decline("card_declined", "There is no card to charge.", "generic_decline")


@dataclass(frozen=True)
class Collected:
    """An invoice after an attempt; `verdict` says how it went, `decline` why not."""

    invoice: Document
    verdict: Verdict
    decline: Decline | None = None

    def as_error(self, *, keeps_rows: bool) -> StripeError:
        """Say it as Stripe answers a call that must not end unpaid."""
        intent = invoicing.intent_of(self.invoice)
        more: Document = {"payment_intent": public(intent)} if intent else {}
        if intent and intent["latest_charge"]:
            more["charge"] = intent["latest_charge"]
        if self.verdict is Verdict.REQUIRES_ACTION:
            message = "Payment for this subscription requires additional user action before it can be completed."
            return declined("subscription_payment_intent_requires_action", message, None, keeps_rows=keeps_rows, **more)
        decline = self.decline or NO_CARD
        return declined(decline.code, decline.message, decline.decline_code, keeps_rows=keeps_rows, **more)


def collect(
    invoice: Document,
    *,
    method: Document | None = None,
    on_session: bool = False,
    is_retry: bool = False,
    now: int,
) -> Collected:
    """Try to have an open invoice paid, once.

    method      the card to use; otherwise the subscription's, then the customer's default.
    on_session  the owner is there: 3-D Secure asks instead of declining.
    is_retry    an automatic retry, the only kind that raises `attempt_count` after the first attempt.
    """
    if invoice["amount_due"] == 0:
        return finish(invoice, amount=0, now=now)
    customer = store.read("customer", invoice["customer"])
    method = method or payment_methods.choose(customer, standing.subscription_of(invoice))
    intent = invoicing.intent_of(invoice)
    attempted = _count(invoice, method, is_retry=is_retry)
    if method is None or intent is None:
        return _fail(attempted, NO_CARD, now=now)
    result = intents.confirm_payment(intent, method, on_session=on_session, now=now)
    if result.answer.verdict is Verdict.SUCCEEDED:
        return finish(attempted, amount=invoice["amount_due"], now=now)
    if result.answer.verdict is Verdict.REQUIRES_ACTION:
        store.save(attempted)
        events.emit("invoice.payment_action_required", attempted)
        standing.after_failure(attempted)
        return Collected(attempted, Verdict.REQUIRES_ACTION)
    return _fail(attempted, result.answer.decline or NO_CARD, now=now)


def finish(invoice: Document, *, amount: int, now: int) -> Collected:
    """Close an invoice whose payment succeeded, and move its subscription."""
    if amount:
        invoice = {**invoice, "attempt_count": max(1, invoice["attempt_count"])}
    paid = invoicing.mark_paid(invoice, amount, now=now)
    standing.after_payment(paid)
    return Collected(paid, Verdict.SUCCEEDED)


def fail(invoice: Document, decline: Decline, *, now: int) -> Collected:
    """Write down that a payment outside `collect` failed, such as a refused 3-D Secure."""
    return _fail(_count(invoice, None, is_retry=False), decline, now=now)


def _count(invoice: Document, method: Document | None, *, is_retry: bool) -> Document:
    count = invoice["attempt_count"] + 1 if is_retry else max(1, invoice["attempt_count"])
    return {**invoice, "attempted": True, "attempt_count": count, "_tried_with": method["id"] if method else None}


def _fail(invoice: Document, decline: Decline, *, now: int) -> Collected:
    first = invoice.get("_first_failed_at") or now
    is_hopeless = (decline.decline_code or decline.code) in dunning.HOPELESS
    after = {**invoice, "_first_failed_at": first, "_hopeless_with": invoice["_tried_with"] if is_hopeless else None}
    if (
        invoice["auto_advance"]
        and invoice["billing_reason"] != "subscription_create"
        and not invoice.get("_is_pending")
    ):
        after["next_payment_attempt"] = dunning.next_attempt(first, invoice["attempt_count"])
    store.save(after)
    events.emit("invoice.payment_failed", after)
    if decline.code == "authentication_required":
        events.emit("invoice.payment_action_required", after)
    standing.after_failure(after)
    return Collected(after, Verdict.DECLINED, decline)
