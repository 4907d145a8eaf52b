"""How each kind of row in the outbox is done. False: it must not be done as things are now, and is withdrawn."""

from collections.abc import Callable, Mapping

from django.db import transaction

from apps.billing import credit_acts, emails, refund_acts, relevance, stripe_gateway
from apps.billing.models import BillingAccount, StripeOutbox

CANCEL, END, MOVE, MAIL = "cancel_subscription", "end_subscription", "move_price", "mail"
RESUME, ADDRESS = "resume_subscription", "tell_address"
METADATA, REFUND, CREDIT_NOTE = "repair_metadata", "refund", refund_acts.NOTE
RECHARGE, START_OVERAGE, END_OVERAGE = "recharge", "start_overage", "end_overage"


def _cancel(row: StripeOutbox) -> bool:
    return credit_acts.end_subscription(row.payload["subscription"], key=row.key)


def _end(row: StripeOutbox) -> bool:
    stripe_gateway.background().end_subscription(row.payload["subscription"], key=row.key)
    return True


def _resume(row: StripeOutbox) -> bool:
    return stripe_gateway.background().resume_subscription(row.payload["subscription"], key=row.key)


def _move(row: StripeOutbox) -> bool:
    wanted = row.payload
    prices = wanted["from"], wanted["to"]
    return stripe_gateway.background().move_price(wanted["subscription"], wanted["item"], prices, key=row.key)


def _mail(row: StripeOutbox) -> bool:
    """Send a letter that is still true; where the bank wants its customer, with the address where it is confirmed."""
    if row.account is None:
        return True
    if not relevance.is_so(row, row.account):
        return False
    facts = row.payload
    if facts["letter"] == emails.ACTION_REQUIRED:
        facts = {**facts, "action_url": stripe_gateway.background().fetch_invoice_url(facts["invoice"])}
    emails.send(facts["letter"], facts, row.account.owner)
    return True


def _say_whose(row: StripeOutbox) -> bool:
    stripe_gateway.background().say_whose(row.payload["object"], str(row.account_id), key=row.key)
    return True


def _tell_address(row: StripeOutbox) -> bool:
    """Give Stripe the address that the person has now, which may be a later one than when it was wanted."""
    account = row.account
    if account is None or account.stripe_customer_id is None or account.erased_at is not None:
        return False
    email = account.owner.email
    stripe_gateway.background().tell_address(account.stripe_customer_id, email, key=f"{row.key}:{row.attempts}")
    with transaction.atomic(durable=True):
        BillingAccount.objects.filter(pk=account.pk, erased_at=None).update(stripe_email=email)
    return True


PERFORM: Mapping[str, Callable[[StripeOutbox], bool]] = {
    CANCEL: _cancel,
    END: _end,
    RESUME: _resume,
    MOVE: _move,
    MAIL: _mail,
    METADATA: _say_whose,
    ADDRESS: _tell_address,
    RECHARGE: credit_acts.recharge,
    START_OVERAGE: credit_acts.begin_usage,
    END_OVERAGE: credit_acts.end_usage,
    REFUND: refund_acts.give_back,
    CREDIT_NOTE: refund_acts.write_credit_note,
}
CHANGES_STRIPE = frozenset(
    {CANCEL, END, RESUME, MOVE, REFUND, CREDIT_NOTE, RECHARGE, START_OVERAGE, END_OVERAGE}
)  # afterwards our mirror is behind
