"""Who joins when, and who they are: more people each month, fewer at the weekend. Pure and seeded."""

import random
from bisect import bisect
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from zoneinfo import ZoneInfo

from apps.localdev.simulation.parameters import Parameters

GROWTH_A_MONTH = 1.09
DAYS_A_MONTH = 30.4
WEEK = (1.05, 1.1, 1.1, 1.05, 0.95, 0.6, 0.65)  # Monday first
# Hours of the day, local time: mornings, afternoons, and most of all evenings.
HOURS = (1, 0, 0, 0, 0, 1, 2, 4, 7, 9, 10, 9, 7, 8, 9, 9, 8, 8, 8, 9, 11, 10, 6, 0)
REGULARS, DEVELOPERS, YEARLY, BIG = 0.1, 0.03, 0.2, 0.1
TRAINING = 0.35
# Where visitors come from, and how many come to the landing page and to the prices for one who joins.
SOURCES = {"direct": 40, "google.com": 30, "news.ycombinator.com": 8, "reddit.com": 8, "newsletter": 6, "other": 8}
LOOKERS, PRICE_LOOKERS = (5, 25), (1, 8)


@dataclass(frozen=True)
class Home:
    """Where people live, and what follows from it."""

    share: int
    country: str
    time_zone: str
    language: str
    currency: str


HOMES = (
    Home(22, "US", "America/New_York", "en", "usd"),
    Home(14, "US", "America/Los_Angeles", "en", "usd"),
    Home(4, "CA", "America/Toronto", "en", "usd"),
    Home(3, "CA", "America/Montreal", "fr", "usd"),
    Home(9, "GB", "Europe/London", "en", "usd"),
    Home(5, "IN", "Asia/Kolkata", "en", "usd"),
    Home(3, "AU", "Australia/Sydney", "en", "usd"),
    Home(22, "FR", "Europe/Paris", "fr", "eur"),
    Home(5, "BE", "Europe/Brussels", "fr", "eur"),
    Home(3, "CH", "Europe/Zurich", "fr", "eur"),
    Home(6, "DE", "Europe/Berlin", "en", "eur"),
    Home(4, "IE", "Europe/Dublin", "en", "eur"),
)
NAMES = {
    "en": ("Alice", "Ben", "Chloe", "Dan", "Emma", "Finn", "Grace", "Hugo", "Iris", "Jack", "Kate", "Liam", "Maya"),
    "fr": ("Aline", "Basile", "Camille", "Denis", "Élise", "Farid", "Gaëlle", "Hervé", "Inès", "Jules", "Léa", "Noé"),
}


@dataclass(frozen=True)
class Person:
    """One simulated person, for life.

    zeal      how likely they are to come on the day after they joined; it fades as a power of their age in days.
    appetite  their questions on a usual day, as a multiple of the mean.
    """

    number: int
    name: str
    home: Home
    joined_at: datetime
    allows_training: bool
    is_developer: bool
    is_regular: bool
    zeal: float
    fading: float
    appetite: float
    plan: str
    interval: str

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.home.time_zone)

    @property
    def joined_on(self) -> date:
        """The day, where they live."""
        return self.joined_at.astimezone(self.zone).date()


def people(parameters: Parameters) -> list[Person]:
    """Everybody, in the order in which they join."""
    weights = [_weight(parameters, day) for day in range(parameters.days)]
    sums = list(accumulate(weights))
    made = []
    for number in range(parameters.accounts):
        dice = parameters.dice(number, "person")
        place = (number + dice.random()) / parameters.accounts * sums[-1]
        made.append(_person(parameters, number, min(bisect(sums, place), len(sums) - 1), dice))
    return made


@dataclass(frozen=True)
class Visitors:
    """Those who came to the public pages beside one who joined, and from where."""

    source: str
    home: int
    pricing: int


def visitors_beside(person: Person, parameters: Parameters) -> Visitors:
    """Whoever joins is one of them."""
    dice = parameters.dice(person.number, "visitors")
    [source] = dice.choices(list(SOURCES), list(SOURCES.values()))
    return Visitors(source, home=dice.randint(*LOOKERS), pricing=dice.randint(*PRICE_LOOKERS))


def hour_of(dice: random.Random) -> time:
    """A moment of the day at which people sit down, local time."""
    [hour] = dice.choices(range(24), HOURS)
    return time(hour, dice.randrange(60), dice.randrange(60))


def _weight(parameters: Parameters, day: int) -> float:
    begins = datetime.combine(parameters.day(day), time.min, tzinfo=UTC)
    share = min(1.0, (parameters.until - begins) / timedelta(days=1))  # the last day may be a part of one
    growth: float = GROWTH_A_MONTH ** (day / DAYS_A_MONTH)
    return share * growth * WEEK[parameters.day(day).weekday()]


def _person(parameters: Parameters, number: int, day: int, dice: random.Random) -> Person:
    [home] = dice.choices(HOMES, [home.share for home in HOMES])
    local = datetime.combine(parameters.day(day), hour_of(dice), tzinfo=ZoneInfo(home.time_zone))
    joined_at = local.astimezone(UTC)
    if joined_at >= parameters.until:  # on the last day: some time before the end
        joined_at = parameters.until - timedelta(minutes=dice.randint(10, 300))
    is_regular = dice.random() < REGULARS
    return Person(
        number=number,
        name=dice.choice(NAMES[home.language]),
        home=home,
        joined_at=joined_at,
        allows_training=dice.random() < TRAINING,
        is_developer=dice.random() < DEVELOPERS,
        is_regular=is_regular,
        zeal=dice.uniform(0.3, 0.8) if is_regular else dice.uniform(0.05, 0.4),
        fading=dice.uniform(0.2, 0.5) if is_regular else dice.uniform(0.7, 1.3),
        appetite=min(25.0, dice.lognormvariate(0.2 if is_regular else -0.6, 1.35)),
        plan="premium_plus" if dice.random() < BIG else "premium",
        interval="year" if dice.random() < YEARLY else "month",
    )
