"""A simulation from its first day to filled reports; killed or stopped at any moment, it goes on where it was."""

import io
import logging
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from types import FrameType

from django.conf import settings
from django.core.management import CommandError, call_command
from rich.console import Console

from apps.localdev.simulation import conditions, habits, population, summary
from apps.localdev.simulation.checkpoint import Busy, Checkpoint
from apps.localdev.simulation.conditions import Unfit
from apps.localdev.simulation.crew import Crew
from apps.localdev.simulation.display import Display, Stand
from apps.localdev.simulation.parameters import Parameters
from apps.localdev.simulation.shift import Ended, Told
from apps.localdev.simulation.stage.till import Till

FAMILIES = 4  # of metrics, roughly: only how the bar of the reports grows


@dataclass
class Course:
    """One run of the command."""

    parameters: Parameters
    workers: int
    checkpoint: Checkpoint
    console: Console
    _stops: bool = field(default=False, init=False)

    def run(self, *, now: datetime) -> bool:
        """Do what is left; False when somebody stopped it before its end.

        Raises  Unfit: another run is at work;  Failed: a worker could not go on. What was done stays done.
        """
        try:
            with self.checkpoint.hold():
                return self._run(now=now)
        except Busy:
            raise Unfit("A simulation is running already. Wait for it, or stop it with Ctrl-C where it runs.") from None

    def _run(self, *, now: datetime) -> bool:
        display = Display(self.console, self._stand)
        if self.checkpoint.is_finished():
            display.show(summary.read(self.parameters), title="This simulation is finished; nothing was done.")
            return True
        if self.checkpoint.find_parameters() is None:
            self.checkpoint.begin(self.parameters)
        try:
            with self._listening(), display:
                self._play(display)
                self._open_doors(display)
        except Ended:
            day = min(self.checkpoint.days(), default=0)
            go_on = conditions.command_of(self.parameters)
            display.say(f"Stopped on day {day + 1} of {self.parameters.days}. Go on with: {go_on}")
            return False
        self.checkpoint.finish(now=now)
        display.show(summary.read(self.parameters), title="The simulation is finished.")
        return True

    def _play(self, display: Display) -> None:
        """All days that are left."""
        visits = self._visits()
        day = min(self.checkpoint.days(), default=0)
        display.begin("Simulating", sum(visits), sum(visits[:day]))

        def tell(told: Told) -> None:
            display.move(told.visits)
            display.look()

        Crew(self.parameters, self.checkpoint, self.workers).work(tell, lambda: self._stops)

    def _open_doors(self, display: Display) -> None:
        """From now on Stripe tells of what happens, and the reports know what happened."""
        till = Till(settings.STRIPE_API_BASE, settings.STRIPE_SECRET_KEY)
        till.end_quiet()
        till.close()
        first, last = self.parameters.first_day, self.parameters.until.date()
        display.begin("Filling the reports", self.parameters.days * FAMILIES)
        lines = _Lines(display, self._is_stopping)
        call_command("rebuild_facts", "--since", str(first), "--until", str(last), stdout=lines)
        with suppress(CommandError):  # what differs is told by the page, and by its own schedule
            call_command("check_accuracy", stdout=io.StringIO())

    def _is_stopping(self) -> bool:
        return self._stops

    def _visits(self) -> list[int]:
        """How many people come on each day: what time left is reckoned from."""
        visits = [0] * self.parameters.days
        for person in population.people(self.parameters):
            for day in habits.days_of(person, self.parameters):
                visits[day] += 1
        return visits

    def _stand(self) -> Stand:
        accounts, answers, paying, mrr_micro = summary.progress(self.parameters)
        day = min(self.checkpoint.days(), default=0)
        shown: date = self.parameters.day(min(day, self.parameters.days - 1))
        return Stand(day, self.parameters.days, shown, accounts, answers, paying, mrr_micro)

    @contextmanager
    def _listening(self) -> Iterator[None]:
        """Ctrl-C ends it in order; the product's own notes on each answer stay out of the way."""
        before = {each: signal.signal(each, self._on_signal) for each in (signal.SIGINT, signal.SIGTERM)}
        logging.disable(logging.INFO)
        try:
            yield
        finally:
            logging.disable(logging.NOTSET)
            for each, handler in before.items():
                signal.signal(each, handler)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._stops = True


class _Lines(io.StringIO):
    """Where `rebuild_facts` writes a line for each day: the bar moves with them."""

    def __init__(self, display: Display, is_stopping: Callable[[], bool]) -> None:
        super().__init__()
        self._display, self._is_stopping = display, is_stopping

    def write(self, text: str) -> int:
        self._display.move(1)
        if self._is_stopping():
            raise Ended
        return len(text)
