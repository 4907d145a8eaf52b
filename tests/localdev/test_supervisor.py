import os
import sys

import pytest

from apps.localdev.processes import Crashed, Part
from apps.localdev.supervisor import Ended, Supervisor

STAY = (sys.executable, "-c", "import time; time.sleep(60)")
END_WELL = (sys.executable, "-c", "")
FAIL = (sys.executable, "-c", "print('no luck'); raise SystemExit(4)")


class Notes:
    """Remembers what the audience was told."""

    def __init__(self):
        self.lines = []

    def begin(self, part):
        self.lines.append(f"begin {part.name}")

    def done(self, part):
        self.lines.append(f"done {part.name}")


@pytest.fixture
def supervise(tmp_path):
    made = []

    def make(*parts):
        made.append(Supervisor(parts, logs=tmp_path, environment=os.environ))
        return made[-1]

    yield make
    for supervisor in made:
        supervisor.stop()


def service(name, command=STAY, **options):
    return Part(name=name, title=name, command=command, is_ready=lambda: True, **options)


def job(name, command=END_WELL, **options):
    return Part(name=name, title=name, command=command, **options)


def test_a_part_waits_for_what_it_needs(supervise):
    notes = Notes()
    parts = [job("tables", after=("postgres",)), service("web", after=("tables",)), service("postgres")]
    supervise(*parts).start(notes, on_started=lambda: None)
    assert notes.lines == [
        *("begin postgres", "done postgres"),
        *("begin tables", "done tables"),
        *("begin web", "done web"),
    ]


def test_a_job_that_fails_stops_the_start_and_what_needs_it_never_begins(supervise):
    notes, supervisor = Notes(), supervise(job("tables", FAIL), service("web", after=("tables",)))
    with pytest.raises(Crashed, match="tables ended unexpectedly \\(exit code 4\\)") as caught:
        supervisor.start(notes, on_started=lambda: None)
    assert caught.value.last_lines() == ["no luck"]
    assert notes.lines == ["begin tables"]


def test_a_service_that_ends_even_well_is_a_crash(supervise):
    supervisor = supervise(service("web"), service("beat", END_WELL))
    with pytest.raises(Crashed, match="beat ended unexpectedly \\(exit code 0\\)"):  # noqa: PT012 whichever sees it
        supervisor.start(Notes(), on_started=lambda: None)
        supervisor.watch()
    supervisor.stop()
    assert all(process.exit_code() is not None for process in supervisor.running.values())


def test_asked_to_end_while_starting(supervise):
    supervisor = supervise(service("postgres"), service("web", after=("never",)))
    with pytest.raises(Ended):
        supervisor.start(Notes(), on_started=lambda: supervisor._on_signal(2, None))
    supervisor.stop()
    assert supervisor.running["postgres"].exit_code() is not None


def test_upper_floors_end_before_the_cellar(supervise, tmp_path):
    goodbye = (
        "import signal, sys, time, pathlib\n"
        "def end(*_):\n    pathlib.Path(sys.argv[1]).open('a').write(sys.argv[2]); sys.exit()\n"
        "signal.signal(signal.SIGTERM, end); pathlib.Path(sys.argv[1] + sys.argv[2]).touch(); time.sleep(60)"
    )
    order = tmp_path / "order"

    def part(name, floor):
        command = (sys.executable, "-c", goodbye, str(order), name)
        awake = order.with_name(f"order{name}")
        return Part(name=name, title=name, command=command, floor=floor, is_ready=awake.exists)

    supervisor = supervise(part("a", 0), part("b", 2), part("c", 1))
    supervisor.start(Notes(), on_started=lambda: None)
    supervisor.stop()
    assert order.read_text() == "bca"
