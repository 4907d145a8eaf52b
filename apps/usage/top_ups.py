"""What was paid for credit is granted, once per payment; what went back of it is taken back; little left is recharged.

Billing keeps the facts (`CreditPayment`, `AutoRecharge`) and nudges; what a nudge missed, a sweep finds.
"""

from datetime import datetime
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Least

from apps.billing import differences, recharges
from apps.billing.differences import Difference
from apps.billing.models import BillingAccount, CreditPayment
from apps.core import money
from apps.usage import credits
from apps.usage.models import CreditAccount, CreditGrant

log = structlog.get_logger(__name__)
BATCH = 500
PURCHASE = CreditGrant.Source.PURCHASE
NOT_GRANTED = "credit_not_granted"


def collect(account_id: UUID, *, now: datetime) -> int:
    """Bring the credit of an account to what its payments say; the number of payments that changed it.

    Effect  one act per payment. Repeat: each payment is granted once, and refunds are taken back once.
    """
    return sum(_collect(payment, now=now) for payment in _uncollected().filter(account_id=account_id))


def collect_missed(*, now: datetime) -> int:
    """The same for every account of which a nudge was lost."""
    return sum(_collect(payment, now=now) for payment in _uncollected()[:BATCH])


def recharge_if_low(account_id: UUID, *, now: datetime) -> bool:
    """Want the card to be charged where less is left than the person wants; say whether it is wanted now.

    Effect  acts: what was paid before counts first, so that no payment under way is made twice.
    """
    collect(account_id, now=now)
    with transaction.atomic(durable=True):
        account = BillingAccount.objects.get(pk=account_id)
        return _low().filter(account=account).exists() and recharges.begin(account, now=now)


def recharge_missed(*, now: datetime) -> int:
    """The same for every account that has little left: what a nudge missed, or what is not enough yet."""
    accounts = list(_low().order_by("account_id").values_list("account_id", flat=True)[:BATCH])
    return sum(recharge_if_low(account_id, now=now) for account_id in accounts)


def _low() -> "QuerySet[CreditAccount]":
    wished = CreditAccount.objects.filter(account__auto_recharge__is_on=True)
    return wished.filter(balance_micro__lt=F("account__auto_recharge__threshold_micro"))


def _uncollected() -> "QuerySet[CreditPayment]":
    """Payments without their grant, or of which more or less went back than the grant knows."""
    grants = CreditGrant.objects.filter(source=PURCHASE, source_ref=OuterRef("pk"))
    gone_micro = Least(F("amount_minor"), F("refunded_minor") + F("lost_minor")) * money.MICRO_PER_MINOR
    found = CreditPayment.objects.received().annotate(known=Subquery(grants.values("refunded_micro")[:1]))
    return found.filter(Q(known=None) | ~Q(known=gone_micro)).select_related("account").order_by("created")


def _collect(payment: CreditPayment, *, now: datetime) -> int:
    amount_micro = money.micro_from_minor(payment.amount_minor)
    gone_micro = money.micro_from_minor(payment.refunded_minor + payment.lost_minor)
    account = payment.account
    if account.erased_at is not None:  # the page was paid late: nobody could spend it
        return _note_not_granted(payment, "the person has left", now=now)
    try:
        with transaction.atomic(durable=True):
            is_new = credits.grant(account, PURCHASE, payment.pk, amount_micro, payment.currency, now=now)
            own = CreditGrant.objects.get(source=PURCHASE, source_ref=payment.pk)
            lost_micro = money.micro_from_minor(payment.lost_minor)
            moved_micro = credits.follow_refunds(own.pk, gone_micro, lost_micro, now=now)
    except ValueError as error:  # the account's credit is in another currency: a person must look
        return _note_not_granted(payment, str(error), now=now)
    return int(is_new or moved_micro != 0)


def _note_not_granted(payment: CreditPayment, reason: str, *, now: datetime) -> int:
    """A person must look, until all of it went back. No payment that changed anything: 0."""
    if payment.refunded_minor + payment.lost_minor >= payment.amount_minor:
        differences.close(NOT_GRANTED, payment.account, payment.pk, now=now)
        return 0
    facts = Difference(NOT_GRANTED, payment.pk, ours=reason, stripe=f"{payment.amount_minor} {payment.currency}")
    differences.note(facts, payment.account, now=now)
    log.error("credit.not_granted", payment=payment.pk, reason=reason)
    return 0
