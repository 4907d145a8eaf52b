"""How far a simulation is: a folder in `.local`. Lost or late notes cost time, not truth: rows say what was done."""

import fcntl
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from apps.localdev import addresses
from apps.localdev.simulation.parameters import Parameters

FOLDER, PARAMETERS, LOCK = "simulation", "parameters.json", "lock"
NOTE = "worker-*.json"
PATIENCE_S, PULSE_S = 10.0, 0.2  # a killed run's workers end after what they are doing


class Busy(Exception):
    """Another run holds the folder."""


@dataclass(frozen=True)
class Start:
    """Where workers begin: the day, and the last day of which a killed run may have done a part."""

    day: int
    careful_until: int


@dataclass(frozen=True)
class Checkpoint:
    """The folder of one simulation; one per local system."""

    folder: Path

    @classmethod
    def inside(cls, local: Path) -> "Checkpoint":
        return cls(local / FOLDER)

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Keep other runs away; workers hold it with us, and the system lets go of it when all have ended.

        Raises  Busy.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        deadline = time.monotonic() + PATIENCE_S
        with (self.folder / LOCK).open("w") as lock:
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise Busy from None
                    time.sleep(PULSE_S)
            yield

    def find_parameters(self) -> Parameters | None:
        """What is simulated here; None when nothing is."""
        stored = addresses.read(self.folder / PARAMETERS)
        return Parameters.from_json(stored) if stored else None

    def is_finished(self) -> bool:
        return "finished_at" in addresses.read(self.folder / PARAMETERS)

    def begin(self, parameters: Parameters) -> None:
        """Remember what is simulated, before anybody joins."""
        addresses.write(self.folder / PARAMETERS, parameters.as_json())

    def finish(self, *, now: datetime) -> None:
        """Remember that nothing is left to do."""
        stored = addresses.read(self.folder / PARAMETERS)
        addresses.write(self.folder / PARAMETERS, {**stored, "finished_at": now.isoformat()})

    def start(self, workers: int) -> Start:
        """Where to begin, also with another number of workers than before: nobody's day is done twice."""
        notes = [addresses.read(path) for path in self.folder.glob(NOTE)]
        days = [int(note.get("day", 0)) for note in notes] or [0]
        careful = max([*days, *(int(note.get("careful_until", 0)) for note in notes)]) if notes else -1
        start = Start(min(days), careful)
        for worker in range(workers):
            self.note(worker, start.day, careful_until=careful)
        for path in self.folder.glob(NOTE):
            if path.name not in {self._name(worker) for worker in range(workers)}:
                path.unlink()
        return start

    def note(self, worker: int, day: int, *, careful_until: int) -> None:
        """Remember that a worker's people are through all days before this one."""
        addresses.write(self.folder / self._name(worker), {"day": day, "careful_until": careful_until})

    def days(self) -> Sequence[int]:
        """How many days each worker has behind it."""
        return [int(addresses.read(path).get("day", 0)) for path in sorted(self.folder.glob(NOTE))]

    @staticmethod
    def _name(worker: int) -> str:
        return f"worker-{worker}.json"
