"""The workers: each has its people and its own process; one alone works where it stands."""

import multiprocessing
import queue
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.context import ForkContext, ForkProcess
from typing import Any

from django.conf import settings
from django.db import connections

from apps.localdev import processes
from apps.localdev.simulation import population
from apps.localdev.simulation.checkpoint import Checkpoint, Start
from apps.localdev.simulation.parameters import Parameters
from apps.localdev.simulation.population import Person
from apps.localdev.simulation.shift import Ended, Shift, Told
from apps.localdev.simulation.stage import acts
from apps.localdev.simulation.stage.shop import Stalled
from apps.localdev.simulation.stage.till import Till, TillAway

PULSE_S = 0.5


class Failed(Exception):
    """A worker could not go on; the sentence says why."""


@dataclass(frozen=True)
class Crew:
    """Everybody who works on one simulation."""

    parameters: Parameters
    checkpoint: Checkpoint
    workers: int

    def work(self, tell: Callable[[Told], None], is_stopping: Callable[[], bool]) -> None:
        """Play all days that are left.

        tell    called here, whatever the number of workers, also now and then while nothing happens.
        Raises  Failed, Ended.
        """
        people, start = population.people(self.parameters), self.checkpoint.start(self.workers)
        if self.workers == 1:
            self._work(0, people, start, tell, is_stopping)
        else:
            self._work_together(people, start, tell, is_stopping)

    def _work_together(
        self, people: list[Person], start: Start, tell: Callable[[Told], None], is_stopping: Callable[[], bool]
    ) -> None:
        context = multiprocessing.get_context("fork")  # what settings and tests have set up goes along
        told, stops = context.Queue(), context.Event()
        _close_connections()
        started = [self._start(context, worker, people, start, (told, stops)) for worker in range(self.workers)]
        try:
            for word in _words(told, started):
                if isinstance(word, str):
                    raise Failed(word)
                tell(word)
                if is_stopping():
                    stops.set()
        finally:
            stops.set()
            for process in started:
                process.join()
        if is_stopping():
            raise Ended
        if any(process.exitcode for process in started):
            raise Failed("A worker was ended from outside.")

    def _start(
        self, context: ForkContext, worker: int, people: list[Person], start: Start, ties: tuple[Any, Any]
    ) -> ForkProcess:  # Any: multiprocessing's queue and event have no common types
        told, stops = ties

        def run() -> None:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches us all; our parent says when to stop
            processes.die_with_parent(signal.SIGKILL)
            try:
                self._work(worker, people, start, told.put, stops.is_set)
            except Ended:
                pass
            except Failed as failure:
                told.put(str(failure))

        process = context.Process(target=run, name=f"simulate-{worker}", daemon=True)
        process.start()
        return process

    def _work(
        self,
        worker: int,
        people: list[Person],
        start: Start,
        tell: Callable[[Told], None],
        is_stopping: Callable[[], bool],
    ) -> None:
        till = Till(settings.STRIPE_API_BASE, settings.STRIPE_SECRET_KEY)
        mine = [person for person in people if person.number % self.workers == worker]
        shift = Shift(self.parameters, mine, till, start.careful_until, tell, is_stopping)
        acts.hurry()
        try:
            for day in range(start.day, self.parameters.days):
                shift.play(day)
                self.checkpoint.note(worker, day + 1, careful_until=start.careful_until)
        except (TillAway, Stalled) as error:
            raise Failed(str(error)) from error
        finally:
            till.close()
            acts.take_time()


def _words(told: Any, started: list[ForkProcess]) -> Iterator[Told | str]:  # noqa: ANN401 a queue of multiprocessing
    """What workers say until all have ended; an empty word where nobody said anything for a while."""
    while True:
        is_over = not any(process.is_alive() for process in started)
        try:
            yield told.get(timeout=0.01 if is_over else PULSE_S)
        except queue.Empty:
            if is_over:
                return
            yield Told()


def _close_connections() -> None:
    """What is open now would belong to two processes after a fork."""
    for connection in connections.all():
        connection.close()
        close_pool = getattr(connection, "close_pool", None)  # only Postgres's has one
        if close_pool:
            close_pool()
