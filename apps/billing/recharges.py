"""Auto-recharge: when little credit is left, the saved card is charged for more. One at a time, up to a sum a month.

The person sets it up and agrees to it; a card that is refused switches it off, with one letter, and nothing is tried
again. `usage` sees that little is left and calls `begin`; the outbox charges, and sync sees what came of it.
"""

from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import Q, Sum

from apps.billing import credit_purchases, emails, outbox, saved_cards
from apps.billing.errors import NoSavedCard, RechargeRefused
from apps.billing.models import AutoRecharge, BillingAccount, CreditPurchase, SavedCard
from apps.core import guards, money

State, Kind = CreditPurchase.State, CreditPurchase.Kind
GIVEN_UP = timedelta(days=5)  # the outbox has given up by then: nothing was charged
LOST = "not_charged"


def set_up(
    account: BillingAccount,
    *,
    threshold_micro: int,
    amount_minor: int,
    most_minor: int,
    currency: str,
    now: datetime,
) -> None:
    """Switch it on with these amounts: the person agrees to be charged so.

    Effect  the network where no card is known, then an act.
    Raises  CreditNotOnSale `recharge_amount`, RechargeRefused `threshold` or `most`, NoSavedCard, PaymentsAway.
    """
    credit_purchases.check_amount(amount_minor, currency, field="recharge_amount")
    offer = credit_purchases.offer_in(currency)
    if offer is None or threshold_micro > money.micro_from_minor(offer.most_minor):
        raise RechargeRefused(field="threshold")
    if most_minor < amount_minor:
        raise RechargeRefused(field="most")
    if saved_cards.find(account, now=now) is None:
        raise NoSavedCard
    facts = {
        "is_on": True, "threshold_micro": threshold_micro, "amount_minor": amount_minor, "most_minor": most_minor,
        "currency": currency, "consented_at": now, "off_reason": "", "changed_at": now,
    }  # fmt: skip
    with transaction.atomic(durable=True):
        AutoRecharge.objects.update_or_create(account=account, defaults=facts)


def switch_off(account: BillingAccount, *, now: datetime) -> None:
    """The person wants no more of it; what is being charged at this moment still is. An act."""
    with transaction.atomic(durable=True):
        AutoRecharge.objects.filter(account=account, is_on=True).update(is_on=False, off_reason="", changed_at=now)


def begin(account: BillingAccount, *, now: datetime) -> bool:
    """Want the card to be charged once, if that is on, nothing is under way and the month has room; say whether so.

    Effect  a step: the wish's row is held, an open purchase is the claim, and the outbox charges.
    """
    guards.inside_transaction()
    ready = AutoRecharge.objects.filter(account=account, is_on=True)
    wish = ready.select_for_update(no_key=True).select_related(None).first()
    is_unpaid = account.hold_reason or account.delinquent_since or account.erased_at
    if wish is None or is_unpaid or account.credit_purchases.recharges().open().exists():
        return False
    if charged_this_month(account, now=now) + wish.amount_minor > wish.most_minor:
        _say_month_is_full(wish, now=now)
        return False
    purchase = CreditPurchase.objects.create(
        account=account, kind=Kind.RECHARGE, amount_minor=wish.amount_minor, currency=wish.currency, created_at=now
    )
    wish.number += 1
    wish.save(update_fields=["number"])
    key = f"recharge:{account.pk}:{wish.number}"
    outbox.add(outbox.RECHARGE, key, {"purchase": str(purchase.pk)}, account, now=now)
    return True


def charged_this_month(account: BillingAccount, *, now: datetime) -> int:
    """What recharges took, or are taking, in this calendar month (UTC), in minor units."""
    start = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    mine = account.credit_purchases.recharges().filter(created_at__gte=start, state__in=(State.OPEN, State.PAID))
    return mine.aggregate(total=Sum("amount_minor"))["total"] or 0


def end_failed(account: BillingAccount, *, now: datetime) -> None:
    """Switch it off once a charge was refused, with one letter; it is never tried again by itself. A step of sync."""
    guards.inside_transaction()
    lost = account.credit_purchases.recharges().open().filter(created_at__lt=now - GIVEN_UP)
    lost.update(state=State.FAILED, failure_code=LOST, closed_at=now)
    account.credit_purchases.recharges().filter(state=State.FAILED, closed_at=None).update(closed_at=now)
    failed = account.credit_purchases.recharges().filter(state=State.FAILED).order_by("-created_at").first()
    if failed is None:
        return
    mine = AutoRecharge.objects.filter(Q(changed_at__lte=failed.created_at), account=account, is_on=True)
    if mine.update(is_on=False, off_reason=failed.failure_code, changed_at=now):
        facts = _letter(emails.RECHARGE_FAILED, failed.amount_minor, failed.currency)
        facts["reason"] = failed.failure_code
        outbox.add(outbox.MAIL, f"recharge-failed:{failed.pk}", facts, account, now=now)


def tell_charged(purchase: CreditPurchase, *, now: datetime) -> None:
    """Say by letter that a card was charged while nobody was there. A step of sync."""
    guards.inside_transaction()
    card = SavedCard.objects.filter(account=purchase.account).first()
    facts = _letter(emails.RECHARGED, purchase.amount_minor, purchase.currency)
    if card is not None:
        facts |= {"brand": card.brand, "last4": card.last4}
    outbox.add(outbox.MAIL, f"recharged:{purchase.pk}", facts, purchase.account, now=now)


def _say_month_is_full(wish: AutoRecharge, *, now: datetime) -> None:
    facts = _letter(emails.RECHARGE_MONTH_FULL, wish.most_minor, wish.currency)
    key = f"recharge-full:{wish.account_id}:{now.astimezone(UTC):%Y-%m}:{wish.most_minor}"
    outbox.add(outbox.MAIL, key, facts, wish.account, now=now)


def _letter(kind: str, amount_minor: int, currency: str) -> dict[str, str]:
    return {"letter": kind, "amount_minor": str(amount_minor), "currency": currency}
