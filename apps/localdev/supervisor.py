"""Parts come up as soon as what they need is there; a crash of one ends all; the way down is the way up, backwards."""

import signal
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Protocol

from apps.localdev import processes
from apps.localdev.processes import Crashed, Part, Process

PULSE_S = 0.1
WATCH_S = 0.2
LONGEST_START_S = 600.0


class Audience(Protocol):
    """Who is told what happens."""

    def begin(self, part: Part) -> None: ...
    def done(self, part: Part) -> None: ...


class Ended(Exception):
    """Someone asked us to end."""


class Supervisor:
    """Holds the processes of one run. Used by one thread: the main one."""

    def __init__(self, parts: Sequence[Part], *, logs: Path, environment: Mapping[str, str]) -> None:
        self._parts = list(parts)
        self._logs, self._environment = logs, environment
        self.running: dict[str, Process] = {}
        self._ready: set[str] = set()
        self._asked_at: dict[str, float] = {}
        self._requests = 0

    def listen(self) -> None:
        """From now on Ctrl-C and its relatives end the run in order; a second one ends it at once."""
        for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(each, self._on_signal)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._requests += 1

    def start(self, audience: Audience, *, on_started: Callable[[], None]) -> None:
        """Bring everything up.

        on_started  called whenever a process has begun, so that it can be written down at once
        Raises      Crashed, Ended
        """
        begun = time.monotonic()
        while len(self._ready) < len(self._parts):
            self._check(is_starting=True)
            for part in self._parts:
                if part.name not in self.running and self._ready.issuperset(part.after):
                    audience.begin(part)
                    self.running[part.name] = self._begin(part)
                    on_started()
                elif part.name in self.running and part.name not in self._ready and self._is_ready(part):
                    self._ready.add(part.name)
                    audience.done(part)
            if time.monotonic() - begun > LONGEST_START_S:
                late = next(part for part in self._parts if part.name in self.running and part.name not in self._ready)
                raise Crashed(late, -signal.SIGALRM, self.running[late.name].log)
            time.sleep(PULSE_S)

    def watch(self) -> None:
        """Stay until someone asks to end, or a part crashes."""
        while True:
            self._check(is_starting=False)
            time.sleep(WATCH_S)

    def stop(self) -> None:
        """End everything, floor by floor. The first request may have come already; another one means: at once."""
        requests = self._requests
        for floor in sorted({part.floor for part in self._parts}, reverse=True):
            leaving = [process for process in self.running.values() if process.part.floor == floor]
            processes.end(leaving, is_hurried=lambda: self._requests > requests)

    def replace(self, name: str) -> None:
        """Start a part again whose process has ended; a part that waits for it waits no longer."""
        self.running[name] = self._begin(self.running[name].part)

    def _begin(self, part: Part) -> Process:
        return Process(part, log=self._logs / f"{part.name}.log", environment=self._environment)

    def _is_ready(self, part: Part) -> bool:
        if part.is_ready is None:
            return self.running[part.name].exit_code() == 0
        if time.monotonic() - self._asked_at.get(part.name, -part.pause_s) < part.pause_s:
            return False
        self._asked_at[part.name] = time.monotonic()
        return part.is_ready()

    def _check(self, *, is_starting: bool) -> None:
        if self._requests:
            raise Ended
        for process in self._alive_or_done(is_starting=is_starting):
            code = process.exit_code()
            if code is not None:
                raise Crashed(process.part, code, process.log)

    def _alive_or_done(self, *, is_starting: bool) -> Iterable[Process]:
        """Everything whose end would be a crash: services always, jobs unless they ended well."""
        for process in self.running.values():
            if not process.part.is_job or (is_starting and process.exit_code() not in (None, 0)):
                yield process
