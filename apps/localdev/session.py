"""One run of the system, from a clean machine to a clean machine: the lock, what a killed run left, `up.json`."""

import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from django.core.exceptions import ImproperlyConfigured

from apps.localdev import addresses, language_model, processes, staff, system
from apps.localdev.addresses import Addresses
from apps.localdev.display import Display
from apps.localdev.processes import Crashed
from apps.localdev.supervisor import Ended, Supervisor

LOCK, STATE, VARIABLES = "up.lock", "up.json", "env.json"
KEPT_AT_RESET = {LOCK, "test", "demo"}


@dataclass(frozen=True)
class Session:
    """`folder` keeps data and logs (`.local`), `root` is the source tree, `given` the environment around us.

    is_demo  a company of invented people is made first; then everything can be looked at and nothing changed
    """

    folder: Path
    root: Path
    given: Mapping[str, str]
    display: Display
    is_demo: bool = False

    def run(self, port: int, *, is_reset: bool) -> int:
        """Start everything, stay, end everything; the exit code says whether it ended because someone asked.

        Raises  ImproperlyConfigured: nothing was started, and the sentence says why.
        """
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._lock() as is_ours:
            if not is_ours:
                return self._point_to_running(is_reset=is_reset)
            self._clean(is_reset=is_reset)
            if not self.given.get("MODEL_BASE_URL"):
                language_model.find_file(self.given.get("MODEL_FILE", ""))
            found = addresses.choose(self.folder, port, given=self.given)
            addresses.write(self.folder / VARIABLES, found.chosen)
            return self._supervise(found)

    def _supervise(self, found: Addresses) -> int:
        parts = [*system.parts(found, self.root), *(system.demo(found, self.root) if self.is_demo else ())]
        supervisor = Supervisor(parts, logs=self.folder / "logs", environment=self._environment(found))
        supervisor.listen()
        try:
            with self.display as display:
                supervisor.start(display, on_started=lambda: self._record(found, supervisor, is_ready=False))
            self._record(found, supervisor, is_ready=True)
            self._show(title="Causerie is ready. Ctrl-C ends it.")
            supervisor.watch()
        except Ended:
            self.display.say("Ending…")
        except Crashed as crash:
            self.display.show_crash(crash)
            return 1
        finally:
            supervisor.stop()
            (self.folder / STATE).unlink(missing_ok=True)
        return 0

    def _environment(self, found: Addresses) -> dict[str, str]:
        return found.environment(self.given) | ({"CAUSERIE_DEMO": "1"} if self.is_demo else {})

    @contextmanager
    def _lock(self) -> Iterator[bool]:
        """Hold the folder as long as we run; the system lets go of it even when we are killed."""
        with (self.folder / LOCK).open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True

    def _point_to_running(self, *, is_reset: bool) -> int:
        if is_reset:
            raise ImproperlyConfigured("it is running. End it first (Ctrl-C where it runs), then use --reset.")
        if addresses.read(self.folder / STATE).get("is_ready"):
            self._show(title="Causerie is running already.")
        else:
            self.display.say("Causerie is starting already. Its logs are in " + str(self.folder / "logs"))
        return 0

    def _clean(self, *, is_reset: bool) -> None:
        left = processes.end_leftovers(addresses.read(self.folder / STATE).get("processes", {}))
        if left:
            self.display.say("Ended what the last run left behind: " + ", ".join(left))
        (self.folder / STATE).unlink(missing_ok=True)
        if is_reset:
            for path in self.folder.iterdir():
                if path.name not in KEPT_AT_RESET:
                    shutil.rmtree(path) if path.is_dir() else path.unlink()

    def _record(self, found: Addresses, supervisor: Supervisor, *, is_ready: bool) -> None:
        """Write `up.json`: for scripts, for a second `up`, and for the next one if this one is killed."""
        state: dict[str, Any] = {
            "is_ready": is_ready,
            "pid": os.getpid(),
            "created_at": psutil.Process().create_time(),
            "addresses": found.to_show(self.given),
            "staff": staff.remembered(self.folder),
            "logs": str(self.folder / "logs"),
            "processes": {
                name: {"pid": process.pid, "created_at": process.created_at}
                for name, process in supervisor.running.items()
                if process.exit_code() is None
            },
        }
        addresses.write(self.folder / STATE, state)

    def _show(self, *, title: str) -> None:
        state = addresses.read(self.folder / STATE)
        self.display.show_addresses(state["addresses"] | {"logs": state["logs"]}, state["staff"], title=title)
