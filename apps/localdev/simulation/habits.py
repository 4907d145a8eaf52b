"""When people come and how often they ask: activity fades, and a few ask far more than the others. Pure and seeded."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from apps.localdev.simulation.parameters import Parameters
from apps.localdev.simulation.population import WEEK, Person, hour_of

MOST_A_DAY = 90
COMES_AT_ALL = 0.92  # on the first day; the others joined and left
USUAL_SHARES = 5.5  # so that an active account gets as many answers a month as asked for: tests say how near it comes
SHORTEST_GAP_S, MEAN_GAP_S = 20, 70
AHEAD, AHEAD_WHEN_LONG = 0.1, 0.5  # asked in a second tab, while the first one still waits for its answer
LONG = 15
LATEST = time(23, 50)
API_CALLS = (1, 14)


@dataclass(frozen=True)
class Question:
    """One question at its moment.

    is_ahead  asked in another tab before the question before it was answered.
    is_call   a call of the API.
    """

    at: datetime
    is_ahead: bool = False
    is_call: bool = False


def days_of(person: Person, parameters: Parameters) -> list[int]:
    """The numbers of the days on which a person comes, the day they join first."""
    dice = parameters.dice(person.number, "days")
    joined = (person.joined_on - parameters.first_day).days
    found = [joined]
    if dice.random() > COMES_AT_ALL:
        return found
    for day in range(joined + 1, parameters.days):
        pace = WEEK[parameters.day(day).weekday()] * (day - joined) ** -person.fading
        if dice.random() < person.zeal * pace:
            found.append(day)
    return found


def questions_of(person: Person, day: int, parameters: Parameters) -> list[Question]:
    """What a person asks on a day on which they come, in the order of time."""
    dice = parameters.dice(person.number, day, "questions")
    today = parameters.day(day)
    mean = person.appetite * parameters.answers / USUAL_SHARES
    many = min(MOST_A_DAY, max(1, round(mean * dice.lognormvariate(-0.12, 0.5))))
    at = datetime.combine(today, hour_of(dice), tzinfo=person.zone).astimezone(UTC)
    if today == person.joined_on:
        at = person.joined_at + timedelta(seconds=dice.randint(40, 240))
    end = end_of(person, day, parameters)
    is_calling = person.is_developer and dice.random() < 0.7  # noqa: PLR2004 a share of their days
    ahead = AHEAD_WHEN_LONG if many > LONG else AHEAD
    found: list[Question] = []
    for number in range(many + (dice.randint(*API_CALLS) if is_calling else 0)):
        is_second = bool(found) and not found[-1].is_ahead  # two tabs, not more
        is_ahead = dice.random() < ahead and is_second and number < many
        gap_s = 1 if is_ahead else SHORTEST_GAP_S + dice.expovariate(1 / MEAN_GAP_S)
        at = (at + timedelta(seconds=gap_s)).replace(microsecond=dice.randrange(1_000_000))
        if at >= end:
            break
        found.append(Question(at, is_ahead=is_ahead, is_call=number >= many))
    return found


def end_of(person: Person, day: int, parameters: Parameters) -> datetime:
    """The last moment of a person's day, where they live; never beyond the end of the period."""
    local = datetime.combine(parameters.day(day), LATEST, tzinfo=person.zone)
    return min(local.astimezone(UTC), parameters.until)
