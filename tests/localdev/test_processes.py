import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from apps.localdev import processes
from apps.localdev.processes import Crashed, Part, Process

SLEEP = (sys.executable, "-c", "import time; print('awake', flush=True); time.sleep(60)")
STUBBORN = (
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('awake', flush=True); time.sleep(60)",
)


@pytest.fixture
def begin(tmp_path):
    begun = []

    def start(command, **options):
        part = Part(name="part", title="Part", command=command, is_ready=lambda: True, **options)
        begun.append(Process(part, log=tmp_path / "logs" / "part.log", environment=os.environ))
        return begun[-1]

    yield start
    for process in begun:
        process.kill()


def wait_for(is_so, seconds=5.0):
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


def wait_awake(process):
    wait_for(lambda: "awake" in process.log.read_text())


def test_a_polite_process_ends_when_asked(begin):
    process = begin(SLEEP)
    wait_awake(process)
    processes.end([process])
    assert process.exit_code() == -signal.SIGTERM


def test_a_stubborn_process_is_killed_when_its_patience_is_over(begin):
    process = begin(STUBBORN, patience_s=0.2)
    wait_awake(process)
    processes.end([process])
    assert process.exit_code() == -signal.SIGKILL


def test_what_a_part_started_ends_with_it(begin):
    child = (
        "import subprocess, sys, time; p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); "
    )
    process = begin((sys.executable, "-c", child + "print('awake', p.pid, flush=True); time.sleep(60)"))
    wait_awake(process)
    grandchild = int(process.log.read_text().split()[1])
    processes.end([process])
    wait_for(lambda: not psutil.pid_exists(grandchild) or psutil.Process(grandchild).status() == "zombie")


def test_a_part_ends_when_we_are_killed(tmp_path):
    code = (
        "import os, sys, time; from pathlib import Path; from apps.localdev.processes import Part, Process\n"
        f"part = Part('p', 'P', (sys.executable, '-c', 'import time; time.sleep(60)'))\n"
        f"p = Process(part, log=Path({str(tmp_path)!r}) / 'p.log', environment=os.environ)\n"
        "print(p.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    wait_for(lambda: not psutil.pid_exists(child) or psutil.Process(child).status() == "zombie")


def test_the_log_of_the_run_before_is_kept(begin):
    wait_awake(begin((sys.executable, "-c", "print('first awake')")))
    second = begin((sys.executable, "-c", "print('second awake')"))
    wait_awake(second)
    assert second.log.read_text() == "second awake\n"
    assert second.log.with_suffix(".log.1").read_text() == "first awake\n"


def test_a_crash_shows_the_last_lines(begin):
    process = begin((sys.executable, "-c", "[print('line', n) for n in range(100)]"))
    wait_for(lambda: process.exit_code() is not None)
    crash = Crashed(process.part, 3, process.log)
    assert str(crash) == "Part ended unexpectedly (exit code 3)."
    assert crash.last_lines() == [f"line {number}" for number in range(80, 100)]


def test_leftovers_of_a_killed_run_are_ended(begin):
    process = begin(SLEEP)
    wait_awake(process)
    recorded = {"web": {"pid": process.pid, "created_at": process.created_at}}
    assert processes.end_leftovers(recorded) == ["web"]
    assert process.exit_code() is not None


def test_a_stranger_with_a_recorded_number_is_left_alone(begin):
    process = begin(SLEEP)
    recorded = {"web": {"pid": process.pid, "created_at": process.created_at - 3600}}
    assert processes.end_leftovers(recorded) == []
    assert process.exit_code() is None


def test_a_recorded_number_that_nobody_has_is_no_leftover():
    gone = subprocess.Popen([sys.executable, "-c", ""])
    created_at = psutil.Process(gone.pid).create_time()
    gone.wait()
    assert processes.end_leftovers({"web": {"pid": gone.pid, "created_at": created_at}}) == []
