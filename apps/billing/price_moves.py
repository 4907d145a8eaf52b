"""Who pays an old price: left there and counted, or moved to the new price where the catalogue says so."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from apps.billing import outbox, plans
from apps.billing.models import Price, StripeOutbox, SubscriptionItemMirror, SubscriptionMirror
from apps.billing.terms import Catalogue


@dataclass(frozen=True)
class Move:
    """Subscriptions to one plan that pay one amount and shall pay another, from their next renewal on."""

    plan: str
    interval: str
    currency: str
    before_minor: int
    after_minor: int
    items: tuple[SubscriptionItemMirror, ...]

    def __str__(self) -> str:
        number = len(self.items)
        who = f"{number} subscription moves" if number == 1 else f"{number} subscriptions move"
        what = f"from {self.before_minor} to {self.after_minor} {self.currency} a {self.interval}"
        return f"{self.plan}: {who} {what} at {'its' if number == 1 else 'their'} next renewal"


def due(catalogue: Catalogue) -> list[Move]:
    """What is to be moved and not wanted yet; nothing where the catalogue keeps people on their prices. Reads only."""
    if not catalogue.moves_prices:
        return []
    found = []
    for terms in catalogue.plans.values():
        for (interval, currency), amount_minor in terms.prices.items():
            items = _movable(terms.key, interval, currency, amount_minor)
            amounts = sorted({item.price.unit_amount_minor or 0 for item in items})
            for before in amounts:
                paying = tuple(item for item in items if item.price.unit_amount_minor == before)
                found.append(Move(terms.key, interval, currency, before, amount_minor, paying))
    return found


def staying(price: str, moves: Iterable[Move]) -> int:
    """How many live subscriptions pay a price and go on doing so."""
    moved = {item.subscription_id for move in moves for item in move.items}
    live = SubscriptionMirror.objects.live().filter(items__price=price)
    return live.exclude(pk__in=moved).distinct().count()


def want(move: Move, *, now: datetime) -> None:
    """Want the new price for each; a row for each, so that one that Stripe refuses keeps nobody else.

    Effect  an act. Repeat: each is wanted once per price.
    Raises  Price.DoesNotExist: the new price is not published yet.
    """
    lookup_key = plans.lookup_key(move.plan, move.interval, move.currency)
    to = Price.objects.get(lookup_key=lookup_key, is_active=True, unit_amount_minor=move.after_minor)
    with transaction.atomic(durable=True):
        for item in move.items:
            outbox.move_price(item, to, now=now)


def _movable(plan: str, interval: str, currency: str, amount_minor: int) -> list[SubscriptionItemMirror]:
    """Items that pay another amount for the same, of subscriptions that go on and of which nothing else is planned."""
    steady = SubscriptionMirror.objects.live().filter(
        cancel_at=None, cancel_at_period_end=False, has_pending_update=False, has_schedule=False
    )
    same = SubscriptionItemMirror.objects.filter(
        subscription__in=steady,
        price__plan=plan,
        price__interval=interval,
        price__interval_count=1,
        price__currency=currency,
        price__usage_type="licensed",
    )
    items = same.exclude(price__unit_amount_minor=amount_minor).select_related("price", "subscription__account")
    lookup_key = plans.lookup_key(plan, interval, currency)
    to = Price.objects.filter(lookup_key=lookup_key, is_active=True, unit_amount_minor=amount_minor).first()
    wanted = {outbox.move_key(item.subscription_id, to.pk) for item in items} if to else set()
    known = set(StripeOutbox.objects.filter(key__in=wanted).values_list("key", flat=True))
    return [
        item for item in items.order_by("pk") if not to or outbox.move_key(item.subscription_id, to.pk) not in known
    ]
