"""Who pays an old price: left there and counted, or moved to the new price where the catalogue says so."""

from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from apps.billing import emails, letters, outbox, plans
from apps.billing.letters import Wanted
from apps.billing.models import Price, StripeOutbox, SubscriptionItemMirror, SubscriptionMirror
from apps.billing.terms import Catalogue

NOTICE = timedelta(days=14)  # Visa asks for seven days before a recurring payment changes
DRAFTED = timedelta(hours=2)  # after a renewal, whose invoice is final an hour later
MONTHS = {"month": 1, "year": 12}


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

    Who will pay more is told at least NOTICE before. A renewal that comes sooner is still at the old price.
    Effect  an act. Repeat: each is wanted once per price.
    Raises  Price.DoesNotExist: the new price is not published yet.
    """
    lookup_key = plans.lookup_key(move.plan, move.interval, move.currency)
    to = Price.objects.get(lookup_key=lookup_key, is_active=True, unit_amount_minor=move.after_minor)
    with transaction.atomic(durable=True):
        for item in move.items:
            moves_at, starts = _when(item, move, now=now)
            outbox.move_price(item, to, now=moves_at)
            if starts is not None:
                letters.want(item.subscription.account, _letter(item, move, to, starts), now=now)


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


def _when(item: SubscriptionItemMirror, move: Move, *, now: datetime) -> tuple[datetime, datetime | None]:
    """When to tell Stripe, and from which renewal on the new price holds; None where no renewal is known."""
    ends = item.subscription.current_period_end
    if ends is None or move.after_minor < move.before_minor or ends - now >= NOTICE:
        return now, ends
    return ends + DRAFTED, _renewal_after(item, ends)


def _renewal_after(item: SubscriptionItemMirror, ends: datetime) -> datetime:
    """The end of the period that begins then: the same day of a later month, or its last one."""
    count = ends.month - 1 + MONTHS[item.price.interval]
    year, month = ends.year + count // 12, count % 12 + 1
    anchor = max(ends.day, item.period_start.day if item.period_start else 0)
    return ends.replace(year=year, month=month, day=min(anchor, monthrange(year, month)[1]))


def _letter(item: SubscriptionItemMirror, move: Move, to: Price, starts: datetime) -> Wanted:
    facts = {
        "subscription": item.subscription_id,
        "plan": plans.catalogue().plans[move.plan].name,
        "before_minor": str(move.before_minor),
        "price_minor": str(move.after_minor),
        "currency": move.currency,
        "interval": move.interval,
        "starts": starts.isoformat(),
        "move": outbox.move_key(item.subscription_id, to.pk),
    }
    return Wanted(emails.PRICE_MOVE, f"{item.subscription_id}:{to.pk}", facts)
