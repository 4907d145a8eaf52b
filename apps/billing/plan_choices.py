"""What a subscriber may change to, and when that happens: more at once, less from the next period on."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from apps.billing import entitlements, plans
from apps.billing.errors import AlreadyOnPlan, ChangeBlocked, NothingToChange, NotOnSale, NotOnSaleYet
from apps.billing.models import BillingAccount, PlanChange, Price, SubscriptionItemMirror, SubscriptionMirror
from apps.billing.terms import INTERVALS, PlanTerms

Kind = PlanChange.Kind
BLOCKS = {
    "held": _("Your last payment is contested with your bank, so your plan cannot change until that is settled."),
    "payment_due": _("Your last payment did not go through. Please pay it first; then you can change your plan."),
    "paused": _("Your subscription is paused. Please write to us to change it."),
    "ending": _("Your plan is going to end. Resume it first; then you can change it."),
    "unpaid_change": _("A change of your plan waits for its payment. Pay or drop it; then you can change your plan."),
    "planned": _("A change of your plan is planned already. Keep your current plan first; then you can change it."),
}


@dataclass(frozen=True)
class Holding:
    """What an account subscribes to: the item that names the plan."""

    subscription: SubscriptionMirror
    item: SubscriptionItemMirror

    @property
    def price(self) -> Price:
        """What it pays now."""
        return self.item.price

    @property
    def is_trial(self) -> bool:
        """Whether nothing was paid yet: every change is free, and happens at once."""
        return self.subscription.status == "trialing"


@dataclass(frozen=True)
class Choice:
    """Another plan, or the same by another interval."""

    terms: PlanTerms
    price: Price
    kind: PlanChange.Kind


def holding_of(account: BillingAccount) -> Holding:
    """What the account subscribes to.

    Raises  NothingToChange: it has no subscription to one of our plans.
    """
    subscription = entitlements.find_subscription(account)
    items = subscription.items.filter(price__plan__isnull=False) if subscription else None
    item = items.select_related("price").order_by("-price__plan__rank").first() if items else None
    if subscription is None or item is None:
        raise NothingToChange
    return Holding(subscription, item)


def find_price_held(account: BillingAccount) -> Price | None:
    """The Price that the account pays for its plan; None: it subscribes to none."""
    try:
        return holding_of(account).price
    except NothingToChange:
        return None


def choices(holding: Holding) -> Iterator[Choice]:
    """Everything it may change to, by rank and interval; nothing that is not published."""
    for terms in sorted(plans.catalogue().plans.values(), key=lambda terms: terms.rank):
        for interval in INTERVALS:
            price = find_price(terms.key, interval, holding.subscription.currency)
            if price is not None and not _is_same(holding, price):
                yield Choice(terms, price, _kind(holding, terms, price))


def choose(account: BillingAccount, plan: str, interval: str) -> tuple[Holding, Choice]:
    """What it has, and what it wants instead; the browser only named it.

    Raises  NothingToChange, NotOnSale, NotOnSaleYet, AlreadyOnPlan, ChangeBlocked.
    """
    holding = holding_of(account)
    terms = plans.catalogue().plans.get(plan)
    currency = holding.subscription.currency
    if terms is None or not terms.prices:
        raise NotOnSale(field="plan")
    if (interval, currency) not in terms.prices:
        raise NotOnSale(field="interval")
    price = find_price(plan, interval, currency)
    if price is None:
        raise NotOnSaleYet
    if _is_same(holding, price):
        raise AlreadyOnPlan
    kind = _kind(holding, terms, price)
    if reason := block_of(account, holding.subscription, kind):
        raise ChangeBlocked(BLOCKS[reason], code=reason)
    return holding, Choice(terms, price, kind)


def block_of(account: BillingAccount, subscription: SubscriptionMirror, kind: PlanChange.Kind) -> str:
    """Why nothing can change now, as a key of BLOCKS; empty when it can."""
    reasons = {
        "held": bool(account.hold_reason),
        "payment_due": subscription.status in ("past_due", "unpaid"),
        "paused": subscription.status == "paused" or subscription.is_collection_paused,
        "ending": entitlements.end_of(subscription) is not None,
        "unpaid_change": subscription.has_pending_update,
        "planned": kind == Kind.NOW and subscription.planned_at is not None,
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


def why_blocked(account: BillingAccount, subscription: SubscriptionMirror) -> str:
    """Why nothing at all can change now, in words; empty when something can."""
    reason = block_of(account, subscription, Kind.LATER)
    return str(BLOCKS[reason]) if reason else ""


def find_price(plan: str, interval: str, currency: str) -> Price | None:
    """The Price on sale for this; None: it is not in the catalogue, or nobody published it."""
    terms = plans.catalogue().plans.get(plan)
    if terms is None or (interval, currency) not in terms.prices:
        return None
    key = plans.lookup_key(plan, interval, currency)
    return Price.objects.filter(lookup_key=key, is_active=True, livemode=entitlements.is_live()).first()


def _is_same(holding: Holding, price: Price) -> bool:
    return (price.plan_id, price.interval) == (holding.price.plan_id, holding.price.interval)


def _kind(holding: Holding, terms: PlanTerms, price: Price) -> PlanChange.Kind:
    """Less is a lower plan, or a shorter interval: what was paid stays until its end. In a trial nothing was paid."""
    assert holding.price.plan is not None  # noqa: S101 the query leaves the others out
    is_less = terms.rank < holding.price.plan.rank
    is_shorter = INTERVALS.index(price.interval) < INTERVALS.index(holding.price.interval)
    return Kind.LATER if (is_less or is_shorter) and not holding.is_trial else Kind.NOW
