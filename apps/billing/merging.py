"""Two accounts of one person become one for Stripe: what was bought by one belongs to the other from then on.

Subscriptions, invoices, payments and grants move, and the customer at Stripe says whose it is now. Chats, keys and API
credit are not billing's and stay; what each subscription was worth when stays with the account under which it was.
What charges by itself, or is being paid at this moment, is ended by the person first: nobody agreed to be charged for
another account.
"""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts import audit
from apps.accounts.models import User
from apps.billing import customers, entitlements, leases, outbox
from apps.billing.errors import NotMergeable
from apps.billing.models import (
    AutoRecharge,
    BillingAccount,
    CheckoutAttempt,
    Overage,
    PlanChange,
    SavedCard,
    StripeOutbox,
)

MOVED = (
    "subscriptions", "invoices", "payments", "refunds", "disputes", "credit_notes", "refund_requests", "grants",
    "former_customers", "events", "plan_changes", "credit_purchases", "credit_payments", "meter_outbox",
)  # fmt: skip
UNDER_WAY = (PlanChange.State.AGREED, PlanChange.State.UNPAID)


def merge(source: BillingAccount, into: BillingAccount, *, reason: str, by: User | None, now: datetime) -> None:
    """Move what was bought from one account to another.

    Effect  an act. Both are looked at afterwards, and what somebody fetches meanwhile is thrown away.
    Raises  NotMergeable: both pay for a plan, they are the same, one of them left, they are of different money, or
            something of one of them is under way.
    """
    with transaction.atomic(durable=True):
        locked = BillingAccount.objects.select_for_update(no_key=True).in_bulk([source.pk, into.pk])
        if len(locked) < 2:  # noqa: PLR2004
            raise NotMergeable(_("An account cannot be merged with itself."))
        source, into = locked[source.pk], locked[into.pk]
        _check(source, into, reason)
        _close_offers(source, into, now=now)
        facts = {"from": str(source.pk), "into": str(into.pk), "customer": source.stripe_customer_id}
        _move_customer(source, into, now=now)
        for name in MOVED:
            getattr(source, name).update(account=into)
        source.drift_items.filter(fixed_at=None).update(fixed_at=now)  # the next comparison finds what is still so
        _say_whose(into, now=now)
        for account in (source, into):
            entitlements.refresh(account, now=now)
            leases.want_sync(account.pk)
            audit.record(by, "account.merge", subject=account.owner, reason=reason, details=facts, now=now)


def _check(source: BillingAccount, into: BillingAccount, reason: str) -> None:
    if not reason.strip():
        raise NotMergeable(_("Please say why; the reason is kept in the audit log."))
    if source.erased_at or into.erased_at:
        raise NotMergeable(_("One of these people has left."))
    if source.livemode != into.livemode:
        raise NotMergeable(_("One account is of real money, the other of test money."))
    if source.subscriptions.live().exists() and into.subscriptions.live().exists():
        raise NotMergeable(_("Both accounts pay for a plan. Cancel one of them first."))

    for account in (source, into):  # which of their customers goes on being charged is decided only now
        _check_under_way(account)


def _check_under_way(account: BillingAccount) -> None:
    if account.checkout_attempts.filter(state=CheckoutAttempt.State.OPEN).exists():
        raise NotMergeable(_("A payment page of one of these accounts is open. Wait until it is over: a day at most."))
    if account.credit_purchases.open().exists():
        raise NotMergeable(_("One of these accounts is buying credit. Wait until that is over: a day at most."))
    if account.plan_changes.filter(state__in=UNDER_WAY).exists():
        raise NotMergeable(_("One of these accounts is changing its plan. Wait until that is over."))
    if AutoRecharge.objects.filter(account=account, is_on=True).exists():
        raise NotMergeable(
            _("One of these accounts recharges its credit by itself. Its owner must turn that off first.")
        )
    if Overage.objects.filter(account=account, is_on=True).exists():
        raise NotMergeable(_("One of these accounts has usage charges. Its owner must turn them off first."))
    if _is_being_billed(account):
        raise NotMergeable(_("Usage of one of these accounts is not billed yet. Wait until its last invoice is made."))


def _is_being_billed(account: BillingAccount) -> bool:
    """Usage that Stripe has not heard, or whose subscription has not ended."""
    ending = account.outbox.filter(kind=outbox.END_OVERAGE, state=StripeOutbox.State.PENDING)
    return account.meter_outbox.pending().exists() or ending.exists()


def _close_offers(source: BillingAccount, into: BillingAccount, *, now: datetime) -> None:
    """Prices shown to one are no offer to the other; a saved card stays with its customer, and is found there again."""
    offered = PlanChange.objects.offered().filter(account__in=(source, into))
    offered.update(state=PlanChange.State.LAPSED, answered_at=now)
    SavedCard.objects.filter(account__in=(source, into)).delete()
    AutoRecharge.objects.filter(account=source).delete()
    Overage.objects.filter(account=source).delete()


def _move_customer(source: BillingAccount, into: BillingAccount, *, now: datetime) -> None:
    """The customer who pays becomes the one that is charged; the other is remembered."""
    moved, kept = source.stripe_customer_id, into.stripe_customer_id
    takes = moved is not None and (kept is None or into.customer_gone_at or source.subscriptions.live().exists())
    BillingAccount.objects.filter(pk=source.pk).update(
        stripe_customer_id=None, customer_gone_at=None, currency="", delinquent_since=None, sync_lease_until=None
    )
    began = [at for at in (source.trial_consumed_at, into.trial_consumed_at) if at]
    values: dict[str, object] = {
        "sync_lease_until": None,
        "read_in_full_at": None,
        "trial_consumed_at": min(began, default=None),
    }
    if takes:
        values |= {
            "stripe_customer_id": moved,
            "customer_gone_at": source.customer_gone_at,
            "currency": source.currency,
            "delinquent_since": source.delinquent_since,
            "hold_reason": source.hold_reason or into.hold_reason,
        }
    BillingAccount.objects.filter(pk=into.pk).update(**values)
    former = kept if takes else moved
    if former is not None:
        customers.remember(into, former, livemode=into.livemode, now=now)
    for account in (source, into):
        account.refresh_from_db()


def _say_whose(account: BillingAccount, *, now: datetime) -> None:
    """Customers and running subscriptions at Stripe name the account that they belong to now."""
    former = account.former_customers.filter(gone_at=None).values_list("pk", flat=True)
    running = account.subscriptions.live().values_list("pk", flat=True)
    for thing in filter(None, (account.stripe_customer_id, *former, *running)):
        outbox.repair_metadata(account, thing, now=now)
