"""One worker's part: its people, day by day; what happens to a person on a day, in the order of time."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.db.models import QuerySet

from apps.billing.models import SubscriptionMirror
from apps.localdev.simulation import habits, subscribers
from apps.localdev.simulation.habits import Question
from apps.localdev.simulation.parameters import Parameters, number_of
from apps.localdev.simulation.population import Person
from apps.localdev.simulation.stage import acts, guests, shop
from apps.localdev.simulation.stage.guests import PAYS_IN, Guest, Reached
from apps.localdev.simulation.stage.talk import Talk
from apps.localdev.simulation.stage.till import Till
from apps.localdev.simulation.subscribers import Moment

THINKS_IT_OVER = timedelta(minutes=4)  # between a refusal, or coming, and the pricing page
COMES_BEFORE = timedelta(minutes=6)
NOWHERE = Reached(datetime.min.replace(tzinfo=UTC))


class Ended(Exception):
    """Somebody asked us to stop; what was begun is finished."""


@dataclass(frozen=True)
class Told:
    """What a worker did since it last told."""

    visits: int = 0
    answers: int = 0


@dataclass
class Shift:
    """The people of one worker.

    careful_until  the last day of which a killed run may have done a part: there each person goes on from their rows.
    tell           called after each person's day; `is_stopping` is asked between what belongs together.
    """

    parameters: Parameters
    people: Sequence[Person]
    till: Till
    careful_until: int
    tell: Callable[[Told], None]
    is_stopping: Callable[[], bool]
    _known: dict[int, Person] = field(init=False)
    _by_day: dict[int, list[int]] = field(init=False)

    def __post_init__(self) -> None:
        self._known = {person.number: person for person in self.people}
        self._by_day = defaultdict(list)
        for person in self.people:
            for day in habits.days_of(person, self.parameters):
                self._by_day[day].append(person.number)

    def play(self, day: int) -> None:
        """Let a day happen to everybody.

        Raises  Ended, TillAway, Stalled: a part of the day is done, and is not done again.
        """
        visitors = self._by_day[day]
        for number in sorted({*visitors, *self._due(day)}):
            self._play(self._known[number], day, is_visit=number in visitors)
        acts.make_safe()

    def _due(self, day: int) -> list[int]:
        """The numbers of those to whose subscriptions something happens before this day ends where they live."""
        found = []
        for mirror in self._mirrors():
            person = self._known.get(number_of(mirror.account.owner.email))
            if person is not None and self.next_of(person, mirror).at < habits.end_of(person, day, self.parameters):
                found.append(person.number)
        return found

    def _mirrors(self) -> "QuerySet[SubscriptionMirror]":
        mirrors: QuerySet[SubscriptionMirror] = SubscriptionMirror.objects.live()
        mine = mirrors.filter(account__owner__email__startswith=self.parameters.prefix)
        return mine.select_related("account__owner").prefetch_related("items__price")

    def next_of(self, person: Person, mirror: SubscriptionMirror) -> Moment:
        """What happens next to a subscription."""
        return subscribers.next_moment(person, guests.as_subscription(mirror), self.parameters)

    def _play(self, person: Person, day: int, *, is_visit: bool) -> None:
        """One person's day."""
        guest = guests.find(person, self.parameters)
        if guest is None:
            guest = self._join(person)
        questions = habits.questions_of(person, day, self.parameters) if is_visit else []
        one = OneDay(self, guest, day, questions)
        one.play(guests.reached(guest) if day <= self.careful_until else NOWHERE)
        self.tell(Told(visits=int(is_visit), answers=one.answers))

    def _join(self, person: Person) -> Guest:
        with acts.whole():
            return guests.join(person, self.parameters)


@dataclass
class OneDay:
    """One day of one person: visits and what their subscription brings, merged by time."""

    shift: Shift
    guest: Guest
    day: int
    questions: list[Question]
    answers: int = 0

    def play(self, reached: Reached) -> None:
        """Go on until nothing is left of the day; `reached` is how far a killed run got with it."""
        comes_at = self.questions[0].at - COMES_BEFORE if self.questions else reached.at
        self.questions = self._after(reached.at)
        if comes_at > reached.at:
            self._wonder(comes_at, was_refused=False)
        elif reached.has_left:
            self.questions = []
        elif reached.was_refused:
            self._meet_limit(reached.at)
        while not self.shift.is_stopping():
            mirror = self.guest.subscription()
            moment = self.shift.next_of(self.guest.person, mirror) if mirror else None
            comes = moment if moment and moment.at < self._end else None
            if mirror and comes and not (self.questions and self.questions[0].at < comes.at):
                with acts.whole():
                    shop.carry_out(self.guest, mirror, comes, self.shift.till)
            elif self.questions:
                self._talk(comes.at if comes else None)
            else:
                return
        raise Ended

    @property
    def _end(self) -> datetime:
        return habits.end_of(self.guest.person, self.day, self.shift.parameters)

    def _talk(self, until: datetime | None) -> None:
        """Ask what comes before `until`."""
        now = [question for question in self.questions if until is None or question.at < until]
        talk = Talk(self.guest, self.shift.parameters)
        with acts.whole():
            if any(question.is_call for question in now):
                guests.open_api(self.guest, self.shift.parameters, now=now[0].at)
            talk.have(now)
        self.answers += talk.answers
        self.questions = self.questions[len(now) :] if talk.refused_at is None else self._after(talk.refused_at)
        if talk.refused_at is not None:
            self._meet_limit(talk.refused_at)

    def _meet_limit(self, at: datetime) -> None:
        """Who met a limit buys a plan and goes on, or leaves for today."""
        bought_at = self._wonder(at + THINKS_IT_OVER, was_refused=True)
        self.questions = self._after(bought_at) if bought_at else []

    def _wonder(self, at: datetime, *, was_refused: bool) -> datetime | None:
        """Buy a plan, or do not; when it was bought. Who has no card that works leaves for today."""
        person, parameters = self.guest.person, self.shift.parameters
        is_past = at <= person.joined_at or at >= parameters.until - PAYS_IN
        if is_past or not subscribers.wants_to_buy(person, self.day, parameters, was_refused=was_refused):
            return None
        if self.guest.subscription() is not None:
            return None
        with acts.whole():
            shop.buy(self.guest, self.day, parameters, self.shift.till, now=at.replace(microsecond=0))
        if self.guest.subscription() is None:
            self.questions = []
            return None
        return self.guest.account.last_synced_at

    def _after(self, moment: datetime) -> list[Question]:
        return [question for question in self.questions if question.at > moment]
