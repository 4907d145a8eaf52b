"""From the MRR at the start to the MRR at the end: every step between is a movement, or a rate that changed."""

from collections.abc import Collection
from dataclasses import dataclass

from apps.reporting.days import ONE_DAY, Period
from apps.reporting.exchange import Rates
from apps.reporting.facts import Facts

# Step → the metric of its movements, and whether it adds or takes away.
STEPS = {"new": ("mrr_new", 1), "expansion": ("mrr_expansion", 1), "reactivation": ("mrr_reactivation", 1),
         "contraction": ("mrr_contraction", -1), "churn": ("mrr_churn", -1)}  # fmt: skip
SLUGS = ("mrr", *(slug for slug, _sign in STEPS.values()))


@dataclass(frozen=True)
class Bridge:
    """Micro-units a month of one currency. `rest`: what no step explains: exchange rates; in one currency always 0."""

    start: int
    steps: dict[str, int]
    end: int

    @property
    def rest(self) -> int:
        return self.end - self.start - sum(self.steps.values())


def bridge_of(facts: Facts, currency: str, period: Period) -> Bridge:
    """The bridge of one currency."""
    mrr = facts.by_day("mrr", currency)
    steps = {name: _sum(facts, name, currency, period) for name in STEPS}
    return Bridge(mrr.get(period.first - ONE_DAY, 0), steps, mrr.get(period.last, 0))


def bridge_in_all(facts: Facts, currencies: Collection[str], period: Period, rates: Rates) -> Bridge | None:
    """The bridge of all currencies in the reporting one; None where a rate is not known.

    A movement is converted at its day's rate, a balance at the rate of its last day; the rest is what rates did.
    """
    before = period.first - ONE_DAY
    try:
        start = sum(rates.convert(facts.by_day("mrr", one).get(before, 0), one, before) for one in currencies)
        end = sum(rates.convert(facts.by_day("mrr", one).get(period.last, 0), one, period.last) for one in currencies)
        steps = {name: sum(_converted(facts, name, one, period, rates) for one in currencies) for name in STEPS}
    except LookupError:
        return None
    return Bridge(start, steps, end)


def _sum(facts: Facts, name: str, currency: str, period: Period) -> int:
    slug, sign = STEPS[name]
    daily = facts.by_day(slug, currency)
    return sign * sum(value for day, value in daily.items() if period.first <= day <= period.last)


def _converted(facts: Facts, name: str, currency: str, period: Period, rates: Rates) -> int:
    slug, sign = STEPS[name]
    daily = facts.by_day(slug, currency)
    return sum(
        sign * rates.convert(value, currency, day) for day, value in daily.items() if period.first <= day <= period.last
    )
