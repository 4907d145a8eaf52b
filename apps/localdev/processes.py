"""A part is started, watched and ended. It dies with us, whatever happens to us, and is found again if it does not."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

PR_SET_PDEATHSIG = 1
SAME_MOMENT_S = 1.0
LAST_LINES = 20
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True)
class Part:
    """One process of the system.

    after      names of the parts that must be ready before it starts
    is_ready   asked again and again; None for a job, which is ready when it has ended well
    floor      0 is the cellar: parts of a higher floor are ended first
    pause_s    how long to wait before `is_ready` is asked again
    patience_s how long it may take to end by itself
    """

    name: str
    title: str
    command: tuple[str, ...]
    after: tuple[str, ...] = ()
    is_ready: Callable[[], bool] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None
    pause_s: float = 0.0
    floor: int = 2
    end_signal: signal.Signals = signal.SIGTERM
    patience_s: float = 5.0

    @property
    def is_job(self) -> bool:
        return self.is_ready is None


class Crashed(Exception):
    """A part ended that should not have."""

    def __init__(self, part: Part, exit_code: int, log: Path) -> None:
        super().__init__(f"{part.title} ended unexpectedly ({_describe(exit_code)}).")
        self.part, self.log = part, log

    def last_lines(self) -> list[str]:
        """The end of its log: what it wanted to say."""
        with suppress(OSError):
            return self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-LAST_LINES:]
        return []


class Process:
    """A part that was started. Start it from the main thread: it is told to end when that thread does."""

    def __init__(self, part: Part, *, log: Path, environment: Mapping[str, str]) -> None:
        self.part, self.log = part, log
        log.parent.mkdir(parents=True, exist_ok=True)
        if log.exists():
            log.replace(log.with_suffix(".log.1"))
        with log.open("wb") as output:
            self._popen = subprocess.Popen(  # noqa: S603 our own command line
                part.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**environment, **part.environment},
                cwd=part.folder,
                start_new_session=True,
                preexec_fn=lambda: die_with_parent(part.end_signal),  # noqa: PLW1509 one call into libc
            )
        self.pid = self._popen.pid
        self.created_at = psutil.Process(self.pid).create_time()

    def exit_code(self) -> int | None:
        """None while it runs; negative when a signal ended it."""
        return self._popen.poll()

    def ask_to_end(self) -> None:
        """Ask politely, once."""
        if self.exit_code() is None:
            self._popen.send_signal(self.part.end_signal)

    def kill(self) -> None:
        """End it and everything it started."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._popen.wait()


def die_with_parent(sent: signal.Signals) -> None:
    """Ask the kernel to send this signal when the thread that started us ends. Other systems find us by our number."""
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, int(sent))


def end(processes: Iterable[Process], *, is_hurried: Callable[[], bool] = lambda: False) -> None:
    """Ask all, wait as long as each may take, then kill what is left of each."""
    waiting = list(processes)
    for process in waiting:
        process.ask_to_end()
    begun = time.monotonic()
    while waiting:
        waited_s = time.monotonic() - begun
        for process in list(waiting):
            if process.exit_code() is not None or waited_s > process.part.patience_s or is_hurried():
                process.kill()
                waiting.remove(process)
        time.sleep(0.02)


def find(pid: int, created_at: float) -> psutil.Process | None:
    """The process with this number, if it is still the one that was started then: numbers are used again."""
    try:
        process = psutil.Process(pid)
        is_same = abs(process.create_time() - created_at) < SAME_MOMENT_S
        return process if is_same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.Error:
        return None


def end_leftovers(recorded: Mapping[str, Mapping[str, float]], *, patience_s: float = 8.0) -> list[str]:
    """End what a killed run left behind; returns the names. Processes that only share a number are left alone."""
    left = {name: found for name, row in recorded.items() if (found := find(int(row["pid"]), row["created_at"]))}
    for process in left.values():
        with suppress(psutil.Error):
            # A second SIGTERM makes no difference; Postgres takes SIGINT as "now, without waiting for clients".
            process.send_signal(signal.SIGINT if process.name() == "postgres" else signal.SIGTERM)
    _, alive = psutil.wait_procs(list(left.values()), timeout=patience_s)
    for process in alive:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    psutil.wait_procs(alive, timeout=patience_s)
    return sorted(left)


def _describe(exit_code: int) -> str:
    if exit_code < 0:
        return f"signal {signal.Signals(-exit_code).name}"
    return f"exit code {exit_code}"
