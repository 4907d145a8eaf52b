"""What the people who pay do next: stay, leave, change plans, have a card that fails. Pure and seeded."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from apps.localdev.simulation.parameters import Parameters
from apps.localdev.simulation.population import Person

LEAVE = {"month": 0.05, "year": 0.25}  # in each period
FAIL = 0.06  # of renewals
MEND = 0.72  # of those whose card failed
UP, DOWN = 0.02, 0.06  # of periods: to the larger plan, and back
REFUSED_AND_BUY, COME_AND_BUY = 0.15, 0.0022  # of those who met a limit; of visits of those who did not
DECLINED, TRY_AGAIN = 0.05, 0.6  # of purchases; of the people to whom that happens
COLLECTED_AFTER = timedelta(hours=1, minutes=4)  # Stripe finalises an invoice an hour after it was made
DUNNED_AFTER = timedelta(days=14, hours=2)
DAYS = {"month": 30, "year": 365}
LARGER = {"premium": "premium_plus", "premium_plus": "premium"}


class Act(StrEnum):
    """What happens to a subscription."""

    CHANGE = "change"
    LEAVE = "leave"
    RENEW = "renew"
    RENEW_BADLY = "renew_badly"  # the card fails
    END = "end"  # the paid time is over, as was asked
    MEND = "mend"  # another card pays what is open
    LAPSE = "lapse"  # Stripe gave up


@dataclass(frozen=True)
class Subscription:
    """What of a subscription decides about what happens next; `seen_at` is when we last looked at Stripe."""

    plan: str
    interval: str
    started_at: datetime
    period_end: datetime
    is_leaving: bool
    late_since: datetime | None
    seen_at: datetime


@dataclass(frozen=True)
class Moment:
    """The next thing that happens, and when."""

    at: datetime
    act: Act


def next_moment(person: Person, has: Subscription, parameters: Parameters) -> Moment:
    """What happens next; always later than the last look, so that each act brings the next one."""
    moments = _late(person, has, parameters) if has.late_since else _paid(person, has, parameters)
    return min((each for each in moments if each.at > has.seen_at), key=lambda each: each.at, default=_again(has))


def wants_to_buy(person: Person, day: int, parameters: Parameters, *, was_refused: bool) -> bool:
    """Whether somebody without a plan buys one on this day."""
    chance = REFUSED_AND_BUY if was_refused else COME_AND_BUY * (3 if person.is_regular else 1)
    return parameters.dice(person.number, day, "buy", was_refused).random() < chance


def cards_of(person: Person, day: int, parameters: Parameters) -> tuple[bool, bool]:
    """Whether the first card is declined on the payment page, and whether a second one is tried then."""
    dice = parameters.dice(person.number, day, "cards")
    return dice.random() < DECLINED, dice.random() < TRY_AGAIN


def _paid(person: Person, has: Subscription, parameters: Parameters) -> list[Moment]:
    if has.is_leaving:
        return [Moment(has.period_end + timedelta(minutes=5), Act.END)]
    dice = parameters.dice(person.number, has.started_at.date(), "period", has.period_end.date())
    leaves, fails, changes = (dice.random() for _ in range(3))
    lies_ahead = has.period_end - timedelta(days=DAYS[has.interval] * dice.uniform(0.05, 0.95))
    renewal = Act.RENEW_BADLY if fails < FAIL else Act.RENEW
    found = [Moment(has.period_end + COLLECTED_AFTER, renewal)]
    if leaves < LEAVE[has.interval]:
        found.append(Moment(lies_ahead, Act.LEAVE))
    elif changes < (UP if has.plan == "premium" else DOWN):
        found.append(Moment(lies_ahead, Act.CHANGE))
    return found


def _late(person: Person, has: Subscription, parameters: Parameters) -> list[Moment]:
    assert has.late_since is not None  # noqa: S101 asked only of those who are late
    dice = parameters.dice(person.number, has.started_at.date(), "late", has.late_since.date())
    if dice.random() < MEND:
        return [Moment(has.late_since + timedelta(days=dice.uniform(0.3, 10)), Act.MEND)]
    return [Moment(has.late_since + DUNNED_AFTER, Act.LAPSE)]


def _again(has: Subscription) -> Moment:
    """Nothing is planned any more, where Stripe keeps what is not paid: look at the next renewal."""
    return Moment(max(has.period_end, has.seen_at) + COLLECTED_AFTER, Act.RENEW)
