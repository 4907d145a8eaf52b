"""Everything that an answer needs goes down while many are written: each ends, whole, and is charged once.

These take minutes: `uv run pytest tests/flows/test_storms.py --long`.
"""

import asyncio
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from types import SimpleNamespace

import psutil
import pytest

from apps.localdev.addresses import port_like
from tests.support.crowd import Crowd
from tests.support.product import running_alone
from tests.support.teller import story

WORDS, PER_SECOND = 100, 20
MANY = 100
STORY = story(WORDS)
CHARGED = """
    SELECT count(*), coalesce(sum(messages), 0), count(DISTINCT run_id) FROM usage_usageledger
    WHERE kind = 'settle' AND run_id = ANY(%s::uuid[])
"""
KEPT = "SELECT state, text, count(*) FROM inference_run WHERE id = ANY(%s::uuid[]) GROUP BY 1, 2"

pytestmark = [pytest.mark.long, pytest.mark.slow, pytest.mark.flow, pytest.mark.xdist_group("storms")]


@contextmanager
def telling():
    """The back end that tells the story, as its own process."""
    port = port_like(None)
    words = ["--port", port, "--words", WORDS, "--per-second", PER_SECOND]
    process = subprocess.Popen([sys.executable, "-m", "tests.support.teller", *map(str, words)])
    try:
        yield SimpleNamespace(url=f"http://127.0.0.1:{port}/v1")
    finally:
        process.terminate()
        process.wait()


@pytest.fixture
def product():
    """One for each test: what was killed is not the next one's trouble."""
    with telling() as teller, running_alone("storm", teller) as running:
        yield running


@pytest.fixture
def crowd(product):
    """So many people with an account and nothing used."""

    def gather(many):
        keys = product.run("tests.support.newcomers", many).split()
        return Crowd(product.url, keys)

    return gather


def die(product, name):
    """End one process as a power cut would."""
    process = product.supervisor.running[name]
    os.killpg(process.pid, signal.SIGKILL)
    process.kill()


def weather(crowd, *, told, then, slow=0):
    """Let everybody ask; when so much of the story was told to everybody in the mean, something happens."""

    async def watch():
        while crowd.asked < len(crowd.cookies) or crowd.share_told < told * WORDS:  # noqa: ASYNC110 no event tells
            await asyncio.sleep(0.02)
        then()  # on the thread that stays: processes end with the thread that began them

    async def play():
        readings, _done = await asyncio.gather(crowd.ask_and_follow(slow=slow), watch())
        return readings

    return asyncio.run(play())


def require_whole_and_paid_once(product, readings):
    runs = [reading.run_id for reading in readings]
    assert {reading.end for reading in readings} == {"run.finished"}
    assert {reading.text for reading in readings} == {STORY}
    assert product.rows(KEPT, runs) == [("succeeded", STORY, len(runs))]
    assert product.rows(CHARGED, runs) == [(len(runs), len(runs), len(runs))]
    held = "SELECT count(*) FROM usage_usagereservation WHERE state = 'open' AND run_id = ANY(%s::uuid[])"
    assert product.rows(held, runs) == [(0,)]


def require_all_is_well_again(product, crowd):
    """Who asks after the storm is answered."""
    readings = weather(crowd(5), told=0, then=lambda: None)
    require_whole_and_paid_once(product, readings)
    assert max(reading.first_text_s for reading in readings) < 20


@pytest.mark.parametrize("told", [0, 0.1, 0.5, 0.99])
def test_a_worker_is_killed_under_a_hundred_answers(product, crowd, told):
    readings = weather(crowd(MANY), told=told, then=lambda: product.kill("models"))
    require_whole_and_paid_once(product, readings)
    require_all_is_well_again(product, crowd)


def test_valkey_is_killed_under_a_hundred_answers(product, crowd):
    def power_cut():
        die(product, "valkey")
        time.sleep(1)
        product.supervisor.replace("valkey")

    readings = weather(crowd(MANY), told=0.3, then=power_cut)
    require_whole_and_paid_once(product, readings)
    require_all_is_well_again(product, crowd)


def test_postgres_is_killed_under_a_hundred_answers(product, crowd):
    def power_cut():
        die(product, "postgres")
        time.sleep(1)
        product.supervisor.replace("postgres")

    readings = weather(crowd(MANY), told=0.3, then=power_cut)
    require_whole_and_paid_once(product, readings)
    require_all_is_well_again(product, crowd)


def test_web_is_restarted_under_two_hundred_followers_and_no_event_is_lost_or_repeated(product, crowd):
    def deploy():
        web = product.supervisor.running["web"]
        web.ask_to_end()
        product.wait_for(lambda: web.exit_code() is not None)
        product.supervisor.replace("web")

    readings = weather(crowd(200), told=0.4, then=deploy)
    require_whole_and_paid_once(product, readings)
    assert sum(reading.connections > 1 for reading in readings) > 100  # the others asked after the restart
    assert all(len(reading.ids) == len(set(reading.ids)) for reading in readings)
    assert {kind for reading in readings for kind in reading.kinds} <= {
        "run.queued", "run.started", "run.delta", "run.finished",
    }  # fmt: skip


def test_who_reads_slowly_slows_nobody_down_and_has_it_all_in_the_end(product, crowd):
    web = psutil.Process(product.supervisor.running["web"].pid)
    before = web.memory_info().rss
    people = crowd(60)
    readings = weather(people, told=0.9, then=lambda: None, slow=5)
    require_whole_and_paid_once(product, readings)
    quick = sorted(reading.first_text_s for reading in readings[5:])
    assert quick[len(quick) // 2] < 5
    assert web.memory_info().rss - before < 60 * 1024 * 1024


def test_a_thousand_questions_of_one_account_do_not_hold_a_subscriber_up(product, crowd):
    product.run("tests.support.newcomers", 1, "--questions", 1000)
    (subscriber,) = product.run("tests.support.newcomers", 1, "--plan", "premium").split()
    people = Crowd(product.url, [subscriber])
    (reading,) = weather(people, told=0, then=lambda: None)
    assert (reading.end, reading.text) == ("run.finished", STORY)
    assert reading.first_text_s < 3
    waiting = "SELECT count(*) FROM inference_run WHERE state = 'queued'"
    assert product.rows(waiting)[0][0] > 900
