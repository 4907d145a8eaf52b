"""What Stripe said of subscriptions and prices becomes our rows; only what differs is written. Steps of one sync."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import TypeVar

from django.db.models import Model

from apps.billing import differences, movements
from apps.billing.differences import Difference
from apps.billing.models import (
    BillingAccount,
    Plan,
    Price,
    SubscriptionItemMirror,
    SubscriptionMirror,
)
from apps.billing.plans import catalogue
from apps.billing.renewals import Renewal
from apps.billing.stripe_facts import Awaited, Card, Coupon, Item, Subscription
from apps.billing.stripe_facts import Price as PriceFacts
from apps.core import guards

Row = TypeVar("Row", bound=Model)
Values = Mapping[str, object]


def write_subscriptions(
    account: BillingAccount, found: Iterable[Subscription], fallback_card: Card, *, now: datetime
) -> None:
    """Mirror all subscriptions of an account; what Stripe no longer lists is marked as gone, never deleted."""
    guards.inside_transaction()
    known = {row.pk: row for row in account.subscriptions.prefetch_related("items__price")}
    seen = set()
    for subscription in found:
        seen.add(subscription.id)
        _write_subscription(account, known.get(subscription.id), subscription, fallback_card, now=now)
    for key, row in known.items():
        if key not in seen and row.gone_at is None:
            before = movements.shape_of(row)
            _change(row, {"gone_at": now, "mrr_micro": 0, "synced_at": now})
            movements.record(row, before, None, now=now)


def write_renewals(account: BillingAccount, found: Mapping[str, Renewal]) -> None:
    """Keep what the next renewal of each subscription will cost, where that was asked anew."""
    guards.inside_transaction()
    for row in account.subscriptions.filter(pk__in=found):
        renewal = found[row.pk]
        values = {
            "renewal_minor": renewal.amount_minor,
            "renewal_tax_minor": renewal.tax_minor,
            "renewal_digest": renewal.digest,
        }
        _change(row, values)


def write_price(price: PriceFacts, *, plan: Plan | None) -> Price:
    """Mirror a Price; the plan it is known to belong to stays."""
    row = Price.objects.filter(pk=price.id).first()
    values: dict[str, object] = {
        "livemode": price.livemode,
        "lookup_key": price.lookup_key,
        "plan_id": plan.key if plan else None,
        "currency": price.currency,
        "unit_amount_minor": price.unit_amount_minor,
        "interval": price.interval,
        "interval_count": price.interval_count,
        "usage_type": price.usage_type,
        "is_active": price.is_active,
    }
    if row is None:
        return Price.objects.create(stripe_price_id=price.id, **values)
    _change(row, values)
    return row


def find_plan(price: PriceFacts) -> Plan | None:
    """The plan a Price sells: by our row for it, by its lookup key, by its product. None: it is not ours."""
    held = Plan.objects.exclude(key__in=catalogue().never_held)  # nobody subscribes to the plan of guests
    known = held.filter(prices=price.id).first()
    if known is not None:
        return known
    plans = {plan.key: plan for plan in held}
    named = plans.get(price.lookup_key.removesuffix(f"_{price.interval}_{price.currency}"))
    by_product = (plan for plan in plans.values() if price.product and plan.stripe_product_id == price.product)
    return named or next(by_product, None)


def _write_subscription(
    account: BillingAccount,
    row: SubscriptionMirror | None,
    found: Subscription,
    fallback_card: Card,
    *,
    now: datetime,
) -> None:
    before = movements.shape_of(row) if row else None
    plan = _plan_of(account, row, found, now=now)
    card = Card() if account.erased_at else (found.card if found.card.last4 else fallback_card)
    values: dict[str, object] = {
        "account_id": account.pk,
        "status": found.status,
        "plan_id": plan.key if plan else None,
        "currency": found.currency,
        "cancel_at_period_end": found.cancel_at_period_end,
        "cancel_at": found.cancel_at,
        "canceled_at": found.canceled_at,
        "ended_at": found.ended_at,
        "cancellation_reason": found.cancellation_reason,
        "trial_end": found.trial_end,
        "is_collection_paused": found.is_collection_paused,
        "has_schedule": found.has_schedule,
        "current_period_end": found.period_end,
        "mrr_micro": found.mrr_micro if plan else 0,
        "coupons": [_coupon_values(coupon) for coupon in found.coupons],
        "started_at": found.started_at,
        "gone_at": None,
        **_card_values(card),
        **_awaited_values(found),
    }
    written = write(SubscriptionMirror, row, found.id, values, now=now)
    for item in found.items:
        _write_item(written, item, plan)
    written.items.exclude(pk__in=[item.id for item in found.items]).delete()
    fresh = SubscriptionMirror.objects.get(pk=found.id)
    movements.record(fresh, before, found, now=now)


def _card_values(card: Card) -> Values:
    return {
        "card_brand": card.brand,
        "card_last4": card.last4,
        "card_exp_month": card.exp_month,
        "card_exp_year": card.exp_year,
    }


def _coupon_values(coupon: Coupon) -> dict[str, object]:
    return {**asdict(coupon), "ends_at": coupon.ends_at.isoformat() if coupon.ends_at else None}


def _awaited_values(found: Subscription) -> Values:
    """What is planned and what waits for a payment; a Price that we do not know is told by its moment alone."""
    return {
        "has_pending_update": found.has_pending_update,
        "pending_price_id": _known(found.pending),
        "pending_until": found.pending.at if found.pending else None,
        "stripe_schedule_id": found.schedule,
        "planned_price_id": _known(found.planned),
        "planned_at": found.planned.at if found.planned else None,
    }


def _known(awaited: Awaited | None) -> str | None:
    prices = Price.objects.filter(pk=awaited.price) if awaited else Price.objects.none()
    found: str | None = prices.values_list("pk", flat=True).first()
    return found


def _plan_of(
    account: BillingAccount, row: SubscriptionMirror | None, found: Subscription, *, now: datetime
) -> Plan | None:
    """The plan of a subscription. A Price that nobody knows leaves the last known plan, and a row that says so."""
    plans = [plan for plan in (find_plan(item.price) for item in found.items) if plan is not None]
    if plans:
        differences.close("unknown_price", account, found.id, now=now)
        return max(plans, key=lambda plan: plan.rank)
    if row is not None and row.plan is not None:
        prices = ", ".join(item.price.id for item in found.items)
        differences.note(Difference("unknown_price", found.id, ours=row.plan.key, stripe=prices), account, now=now)
        return row.plan
    return None


def _write_item(subscription: SubscriptionMirror, item: Item, plan: Plan | None) -> None:
    known = find_plan(item.price)
    price = write_price(item.price, plan=known)
    values: dict[str, object] = {
        "subscription_id": subscription.pk,
        "price_id": price.pk,
        "quantity": item.quantity,
        "period_start": item.period_start,
        "period_end": item.period_end,
    }
    row = SubscriptionItemMirror.objects.filter(pk=item.id).first()
    if row is None:
        SubscriptionItemMirror.objects.create(stripe_item_id=item.id, **values)
    else:
        _change(row, values)


def write(model: type[Row], row: Row | None, key: str, values: Values, *, now: datetime) -> Row:
    """Make a mirror row, or save what of it differs, with the time of it. A step."""
    if row is None:
        return model._default_manager.create(pk=key, **values, synced_at=now)
    if any(getattr(row, name) != value for name, value in values.items()):
        _change(row, {**values, "synced_at": now})
    return row


def _change(row: Model, values: Values) -> None:
    """Save the fields that differ, and only those."""
    changed = [name for name, value in values.items() if getattr(row, name) != value]
    for name in changed:
        setattr(row, name, values[name])
    if changed:
        row.save(update_fields=changed)
