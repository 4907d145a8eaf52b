"""What one piece of an answer costs Valkey: `uv run pytest tests/bench/test_relay.py -s`. For docs/capacity.md.

Two hundred logs, each with one reader, get pieces in batches of fifty, as a worker's tick sends them. Counted is the
CPU of the server's process, which does everything on one thread.
"""

from uuid import uuid4

import orjson
import psutil
import pytest

from apps.inference import relay
from apps.localdev import valkey

LOGS, BATCH, ROUNDS = 200, 50, 120
PORT = 7399

pytestmark = [pytest.mark.bench, pytest.mark.filterwarnings("default")]


@pytest.fixture
def client(tmp_path):
    server = valkey.start(tmp_path, PORT, keep=False)
    with relay.redis.Redis(port=PORT) as found:
        yield found
    server.stop()


def test_what_a_piece_costs(client, capsys):
    append, runs = client.register_script(relay.APPEND), [uuid4() for _ in range(LOGS)]
    for run in runs:
        client.sadd(relay.readers_key(run), "reader:one")
    body, process = orjson.dumps({"text": " word another" * 2}), psutil.Process(client.info("server")["process_id"])
    before = process.cpu_times()
    for number in range(1, ROUNDS + 1):
        for place in range(0, LOGS, BATCH):
            lines = [
                relay.Line(run, relay.Position(1, number), "run.delta", body) for run in runs[place : place + BATCH]
            ]
            keys, values = relay.arguments(lines)
            append(keys=keys, args=values)
    after, pieces = process.cpu_times(), LOGS * ROUNDS
    spent_us = (after.user + after.system - before.user - before.system) * 1_000_000
    held = client.info("memory")["used_memory"]
    with capsys.disabled():
        print(f"\n{spent_us / pieces:.1f} µs of Valkey's CPU and {held / pieces:.0f} bytes for a piece")  # noqa: T201
    assert client.xlen(relay.log_key(runs[0])) == ROUNDS
