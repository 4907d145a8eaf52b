"""Usage charges: who turns them on pays at the end of the month what credit no longer covers, up to a cap.

They are billed by a monthly subscription of their own, so that no change of the plan touches them. It begins and ends
through the outbox. Its months are the calendar's (UTC), as the cap's are: its first invoice is for the rest of one.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import F

from apps.billing import credit_purchases, developer_shelf, outbox, plans, saved_cards
from apps.billing.errors import NoSavedCard, OnHold, UsageChargesRefused
from apps.billing.models import BillingAccount, Overage, StripeOutbox, SubscriptionMirror

LAST_ANSWERS = timedelta(minutes=15)  # an answer runs ten minutes at most: what it costs is on the last invoice
ACTIVE = "active"
STANDING = """
    SELECT own.cap_micro, own.currency FROM billing_overage AS own
      JOIN billing_billingaccount AS account ON account.id = own.account_id
      JOIN billing_subscriptionmirror AS mirror ON mirror.stripe_subscription_id = own.stripe_subscription_id
     WHERE own.account_id = %s AND own.is_on AND account.hold_reason = '' AND account.delinquent_since IS NULL
       AND mirror.status = 'active' AND mirror.gone_at IS NULL AND NOT mirror.is_collection_paused
"""


@dataclass(frozen=True)
class Allowed:
    """What an account may be charged for usage in a calendar month."""

    cap_micro: int
    currency: str


def find_allowed(account: BillingAccount) -> Allowed | None:
    """What may be charged at the month's end; None: not on, not begun, unpaid, or disputed. One read."""
    with connection.cursor() as cursor:
        cursor.execute(STANDING, [account.pk])
        row = cursor.fetchone()
    return Allowed(*row) if row else None


def turn_on(account: BillingAccount, cap_micro: int, currency: str, *, now: datetime) -> None:
    """Let usage be charged at the month's end, up to a cap a month: the person agrees to that. Again: another cap.

    Effect  the network where no card is known, then an act; the outbox begins the subscription.
    Raises  UsageChargesRefused `usage_cap`, OnHold, NoSavedCard, NotOnSaleYet, PaymentsAway.
    """
    most_micro = plans.catalogue().developer.most_usage_micro.get(currency, 0) if plans.catalogue().sells else 0
    if not 0 < cap_micro <= most_micro:
        raise UsageChargesRefused(most_micro, currency)
    if account.hold_reason:
        raise OnHold
    credit_purchases.find_price(developer_shelf.usage_key(currency))
    if saved_cards.find(account, now=now) is None:
        raise NoSavedCard
    facts = {"cap_micro": cap_micro, "currency": currency, "consented_at": now, "changed_at": now}
    with transaction.atomic(durable=True):
        Overage.objects.get_or_create(account=account, defaults=facts)
        BillingAccount.objects.select_for_update(no_key=True).get(pk=account.pk)
        was_off = Overage.objects.filter(account=account, is_on=False).update(is_on=True, number=F("number") + 1)
        Overage.objects.filter(account=account).update(**facts)
        if was_off:
            _want_subscription(Overage.objects.get(account=account), now=now)


def turn_off(account: BillingAccount, *, now: datetime) -> None:
    """Charge no further call; what was used comes on a last invoice, once the answers that run have ended. An act."""
    with transaction.atomic(durable=True):
        if not Overage.objects.filter(account=account, is_on=True).update(is_on=False, changed_at=now):
            return
        own = Overage.objects.get(account=account)
        _want_end(own, now=now)


def _want_subscription(own: Overage, *, now: datetime) -> None:
    """Want it begun, unless the one before has not ended yet: then it goes on."""
    ending = StripeOutbox.objects.filter(account=own.account, kind=outbox.END_OVERAGE, state=StripeOutbox.State.PENDING)
    if ending.delete()[0] and _is_alive(own):
        return
    Overage.objects.filter(pk=own.pk).update(stripe_subscription_id="")
    payload = {"number": str(own.number), "anchor": next_month(now).isoformat()}
    outbox.add(outbox.START_OVERAGE, f"overage-on:{own.account_id}:{own.number}", payload, own.account, now=now)


def _want_end(own: Overage, *, now: datetime) -> None:
    payload = {"number": str(own.number)}
    key = f"overage-off:{own.account_id}:{own.number}:{now.isoformat()}"
    outbox.add(outbox.END_OVERAGE, key, payload, own.account, not_before=now + LAST_ANSWERS, now=now)


def _is_alive(own: Overage) -> bool:
    mirror = SubscriptionMirror.objects.filter(pk=own.stripe_subscription_id or "-", status=ACTIVE, gone_at=None)
    return mirror.filter(cancel_at_period_end=False, cancel_at=None).exists()


def next_month(moment: datetime) -> datetime:
    """The first instant of the next calendar month, UTC."""
    first = moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (first + timedelta(days=32)).replace(day=1)
