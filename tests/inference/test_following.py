"""apps/inference/following.py: every follower of a run reads the same, from wherever it begins."""

import asyncio
from contextlib import aclosing
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connections, transaction
from redis import Redis

from apps.core.errors import Invalid
from apps.inference import engine, following, places, readers, relay, runs
from apps.inference.calls import Prompt
from tests import build
from tests.support.provider import Pause

pytestmark = pytest.mark.django_db(transaction=True)
NOW = build.NOW
QUESTION = Prompt(({"role": "user", "content": "What is the answer?"},), max_output_tokens=100)
WORDS = [f"word{number} " for number in range(12)]


def execute(run):
    engine.execute(run.pk, prompt=lambda _run, _plan: QUESTION, keep=lambda _run, _completion: None, clock=lambda: NOW)


async def read(run, *, after=None, heartbeat_s=0.2):
    async with aclosing(following.follow(run, after=after, heartbeat_s=heartbeat_s)) as entries:
        return [entry async for entry in entries if entry is not None]


def play(course):
    async def play():
        try:
            return await course
        finally:
            await readers.close()

    return asyncio.run(play())


async def read_while_made(run, gate, *, followers):
    """Several followers from the start, while the run is made on another thread."""

    async def open_gate():
        await asyncio.to_thread(gate.wait_reached)
        gate.open()

    making = asyncio.create_task(asyncio.to_thread(execute, run))
    *heard, _opened = await asyncio.gather(*(read(run) for _ in range(followers)), open_gate())
    await making
    return heard


@pytest.fixture
def run():
    return build.run(account=build.account())


@pytest.fixture
def made(run, provider):
    """A run that is over, with an entry for each word in its log, as its row was before."""
    steps = [step for word in WORDS for step in (word, Pause(0.01))]
    provider.answer(*steps, usage=(10, 12))
    execute(run)
    return run


def test_two_followers_hear_the_same_and_the_end_exactly_once(run, provider):
    gate = provider.gate()
    provider.answer(*WORDS[:6], gate, *WORDS[6:], usage=(10, 12))
    first, second = play(read_while_made(run, gate, followers=2))
    assert first == second
    assert "".join(e.data["text"] for e in first if e.kind == "run.delta") == "".join(WORDS)
    assert [e.kind for e in first if e.is_terminal] == ["run.finished"]
    counted = {"input_tokens": 10, "cached_input_tokens": 0, "output_tokens": 12, "reasoning_tokens": 0}
    assert first[-1].data["usage"] == {**counted, "provenance": "reported"}


def test_resumed_after_any_event_the_rest_is_the_same(made):
    whole = play(read(made))
    assert len(whole) > 5
    for number, entry in enumerate(whole[:-1]):
        assert play(read(made, after=entry.id)) == whole[number + 1 :]


def test_resumed_after_the_end_nothing_is_repeated(made):
    made.refresh_from_db()
    whole = play(read(made))
    assert play(read(made, after=whole[-1].id)) == []


def test_when_the_log_is_gone_the_row_answers_with_one_snapshot_and_the_end(made):
    with Redis.from_url(settings.VALKEY_URL) as valkey:
        valkey.delete(relay.log_key(made.pk))
    made.refresh_from_db()
    rest = play(read(made, after="1-3"))
    assert [entry.kind for entry in rest] == ["run.snapshot", "run.finished"]
    assert rest[0].data["text"] == "".join(WORDS)
    assert [entry.id for entry in rest] == [None, None]


def test_a_follower_of_a_log_that_vanished_hears_the_end_from_the_row(made):
    with Redis.from_url(settings.VALKEY_URL) as valkey:
        valkey.delete(relay.log_key(made.pk))
    made.state = "running"  # as the follower read it, before the end
    assert [entry.kind for entry in play(read(made))] == ["run.snapshot", "run.finished"]


def test_a_waiting_run_tells_its_place(run, monkeypatch):
    monkeypatch.setattr(following, "FIRST_LOOK_S", 0.01)
    build.run(account=run.account, now=NOW - timedelta(seconds=1))
    build.run(account=run.account, now=NOW - timedelta(seconds=1), queue="runs.premium")

    async def first():
        async with aclosing(following.follow(run)) as entries:
            return await anext(entries)

    entry = play(first())
    assert (entry.kind, entry.data, entry.id) == ("run.queued", {"position": 2, "waits_for": "place"}, None)


def test_a_held_run_tells_what_it_waits_for_and_then_its_place(run, monkeypatch):
    monkeypatch.setattr(following, "FIRST_LOOK_S", 0.01)
    monkeypatch.setattr(following, "QUEUED_LOOK_S", 0.01)
    build.run(account=run.account, state="running")
    held = build.run(account=run.account, now=NOW + timedelta(seconds=1), in_line_since=None)

    async def first_two():
        async with aclosing(following.follow(held)) as entries:
            yield await anext(entries)
            await asyncio.to_thread(line_up, held)
            yield await anext(entries)

    async def collect():
        return [entry.data async for entry in first_two()]

    assert play(collect()) == [{"position": 3, "waits_for": "own_answer"}, {"position": 2, "waits_for": "place"}]


def line_up(run):
    try:
        with transaction.atomic():
            places.line_up_next(run.account_id, now=NOW + timedelta(seconds=2))
    finally:
        connections.close_all()


def test_silence_is_told_as_none(run):
    run.state = "running"

    async def first():
        async with aclosing(following.follow(run, heartbeat_s=0.01)) as entries:
            return await anext(entries)

    build_running(run)
    assert play(first()) is None


def build_running(run):
    type(run).objects.filter(pk=run.pk).update(state="running")


def test_a_run_stopped_while_it_waits_ends_for_its_followers(run):
    async def course():
        reading = asyncio.create_task(read(run))
        await asyncio.sleep(0.05)
        await asyncio.to_thread(stop, run)
        return await reading

    assert [entry.kind for entry in play(course())] == ["run.stopped"]


def stop(run):
    try:
        runs.request_stop(run, now=NOW)
    finally:
        connections.close_all()


@pytest.mark.parametrize("after", ["x", "1", "1-", "-1", "1-2-3", "1-٣", "9" * 50 + "-1"])
def test_an_id_that_we_never_gave_is_refused(run, after):
    with pytest.raises(Invalid):
        play(read(run, after=after))


def test_without_valkey_the_end_still_comes_from_the_row(made, settings, monkeypatch):
    monkeypatch.setattr(following, "WITHOUT_VALKEY_S", 0.01)
    settings.VALKEY_URL = "redis://127.0.0.1:9/0"
    made.state = "running"
    monkeypatch.setattr(relay, "TIMEOUT_S", 0.05)
    assert [entry.kind for entry in play(read(made))] == ["run.snapshot", "run.finished"]


def test_with_a_valkey_that_hangs_the_end_still_comes_from_the_row(made, settings, monkeypatch):
    monkeypatch.setattr(relay, "TIMEOUT_S", 0.1)
    hung_up = asyncio.Event()

    async def say_nothing(_reader, writer):
        await hung_up.wait()
        writer.close()

    async def scenario():
        async with await asyncio.start_server(say_nothing, "127.0.0.1", 0) as server, asyncio.timeout(5):
            settings.VALKEY_URL = f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0?protocol=2"
            kinds = [entry.kind for entry in await read(made)]
            hung_up.set()
            return kinds

    made.refresh_from_db()
    assert play(scenario()) == ["run.snapshot", "run.finished"]
