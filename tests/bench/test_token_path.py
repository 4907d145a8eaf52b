"""The way of a token, measured: `uv run pytest tests/bench -s`. Figures and what they mean: docs/performance.md.

Each round asks a number of questions at once through the real web and worker processes; a simulated back end answers
each with 200 tokens at 40 a second. Everything, the load included, shares one machine: compare rounds of one run only.
"""

import asyncio
import subprocess
import sys
import time
from collections import Counter
from threading import Timer
from types import SimpleNamespace

import httpx
import psutil
import psycopg
import pytest
from django.conf import settings

from apps.localdev.addresses import port_like
from tests.bench import load
from tests.bench.figures import HEAD, cpu_seconds, figures_of, memory_mb
from tests.support.product import running

TOKENS, PER_SECOND = 400, 40
ROUNDS = (1, 50, 200, 300)
SERVING = ("web", "models")
WARMING = 3  # answers before the first round
SPREAD_S = 5.0  # half an answer: all are open at once afterwards, and nobody presses send in the same instant
SETTLE_S = 2.0  # between rounds, so that one does not pay for the other

pytestmark = [pytest.mark.bench, pytest.mark.filterwarnings("default")]


@pytest.fixture(scope="module")
def backend():
    """The simulated back end, as its own process."""
    port = port_like(None)
    options = {"--port": port, "--tokens": TOKENS, "--per-second": PER_SECOND}
    words = [str(word) for option in options.items() for word in option]
    process = subprocess.Popen([sys.executable, "-m", "tests.bench.backend", *words])
    url = f"http://127.0.0.1:{port}/v1"
    try:
        wait_until_it_answers(f"{url}/models")
        yield SimpleNamespace(url=url)
    finally:
        process.terminate()
        process.wait()


@pytest.fixture(scope="module")
def product(backend):
    """The product's own processes, on a database that writes as safely as in production."""
    with psycopg.connect(settings.DATABASE_URL, autocommit=True) as connection:
        for name in ("fsync", "full_page_writes", "synchronous_commit"):
            connection.execute(f"ALTER SYSTEM SET {name} = on")
        connection.execute("SELECT pg_reload_conf()")
    with running("bench", backend) as processes:
        yield processes


def wait_until_it_answers(url):
    end = time.monotonic() + 20
    while time.monotonic() < end:
        try:
            return httpx.get(url).raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.05)
    raise AssertionError(f"{url} does not answer")


def test_the_way_of_a_token(backend, product, capsys):
    environment = product.addresses.environment(product.environment)
    command = [sys.executable, "-m", "tests.bench.people", str(WARMING + sum(ROUNDS))]
    people = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.split()
    serving = {name: psutil.Process(product.supervisor.running[name].pid) for name in SERVING}
    fresh = memory_of(serving)
    asyncio.run(load.ask_all(product.url, people[:WARMING], spread_s=0))  # warms what is made at first use
    rows, begin, warm, open_mb = [], WARMING, memory_of(serving), {}
    for count in ROUNDS:
        time.sleep(SETTLE_S)
        direct = asyncio.run(load.ask_all_directly(backend.url, count))
        before = cpu_seconds(list(serving.values()))
        Timer(SPREAD_S + 1, lambda: open_mb.update(memory_of(serving))).start()  # while all are open
        answers = asyncio.run(load.ask_all(product.url, people[begin : begin + count], spread_s=SPREAD_S))
        spent = cpu_seconds(list(serving.values())) - before
        begin += count
        found = figures_of(answers, tokens=TOKENS, per_second=PER_SECOND, cpu_s=spent)
        alone = figures_of(direct, tokens=TOKENS, per_second=PER_SECOND, cpu_s=0)
        rows += [found.row("through Causerie"), alone.row("back end alone")]
        assert found.complete == count, Counter((answer.end, len(answer.lags_us)) for answer in answers)
    each = {name: f"{(open_mb[name] - warm[name]) / ROUNDS[-1] * 1000:.0f} KB" for name in serving}
    told = [
        f"PSS before the first answer: {sum(fresh.values())} MB {fresh}; after three: {sum(warm.values())} MB {warm}",
        f"for each open answer of the last round: {each}",
        f"web from its start to its first page: {cold_start_s(product):.1f} s",
    ]
    with capsys.disabled():
        print("\n" + "\n".join([HEAD, *rows, "", *told]))  # noqa: T201


def memory_of(serving):
    return {name: round(memory_mb(process)) for name, process in serving.items()}


def cold_start_s(product):
    """Last of all: the web process is killed, and another begun."""
    begun = time.monotonic()
    product.kill("web")
    wait_until_it_answers(f"{product.url}/healthz")
    return time.monotonic() - begun
