"""Valkey has no room left while answers are written: nothing is lost but the log, and that only for a while."""

import asyncio
from contextlib import aclosing, contextmanager

import pytest
from redis import Redis

from apps.inference import engine, following, gauges, publishing, readers, relay
from apps.inference.calls import Prompt
from apps.inference.events import Delta, Finished, Usage
from apps.inference.publishing import Publisher
from apps.localdev import valkey as own_valkey
from apps.localdev.addresses import port_like
from tests import build

pytestmark = pytest.mark.django_db(transaction=True)
QUESTION = Prompt(({"role": "user", "content": "What is the answer?"},), max_output_tokens=100)
NOW = build.NOW


@pytest.fixture
def valkey(settings, tmp_path):
    """A Valkey of its own: a full one would be everybody's trouble."""
    engine.stop()
    port = port_like(None)
    server = own_valkey.start(tmp_path / "valkey", port, keep=False)
    settings.VALKEY_URL = f"redis://127.0.0.1:{port}/0"
    with Redis.from_url(settings.VALKEY_URL) as client:
        yield client
    engine.stop()
    server.stop()


@contextmanager
def full(valkey):
    """Every write that needs room is refused, as by `maxmemory-policy noeviction`."""
    valkey.config_set("maxmemory-policy", "noeviction")
    valkey.config_set("maxmemory", "1")  # a byte: less than an empty one has
    try:
        yield
    finally:
        valkey.config_set("maxmemory", "0")


def execute(run):
    engine.execute(run.pk, prompt=lambda _run, _plan: QUESTION, keep=lambda _run, _completion: None, clock=lambda: NOW)


def play(course):
    async def play():
        try:
            return await course
        finally:
            await readers.close()

    return asyncio.run(play())


def test_the_log_of_a_run_that_is_over_lives_for_two_minutes_more(provider, valkey):
    run = build.run(account=build.account())
    execute(run)
    assert relay.ENDED_LIFE_S - 5 < valkey.ttl(relay.log_key(run.pk)) <= relay.ENDED_LIFE_S
    assert relay.ENDED_LIFE_S < relay.LOG_LIFE_S / 10


def test_an_answer_is_whole_although_there_was_never_room_for_its_log(provider, valkey):
    run = build.run(account=build.account())
    before = gauges.relay_full._value.get()
    with full(valkey):
        execute(run)
        run.refresh_from_db()
        entries = play(read(run))
    assert (run.state, run.text) == ("succeeded", "Hello! This is a scripted answer.")
    assert [entry.kind for entry in entries] == ["run.snapshot", "run.finished"]
    assert entries[0].data["text"] == run.text
    assert gauges.relay_full._value.get() > before
    assert not valkey.exists(relay.log_key(run.pk))


async def read(run):
    async with aclosing(following.follow(run, heartbeat_s=0.2)) as entries:
        return [entry async for entry in entries if entry is not None]


def test_who_follows_is_told_the_whole_text_while_there_is_no_room_and_pieces_again_afterwards(monkeypatch, valkey):
    monkeypatch.setattr(publishing, "FULL_WAIT_S", 0.05)
    run = build.run(account=build.account())

    async def course():
        publisher, heard = Publisher(), []
        log = publisher.open(run.pk, 1)
        log.write(Delta, "One ")

        async def listen():
            async with aclosing(following.follow(run, heartbeat_s=0.2)) as entries:
                async for entry in entries:
                    is_said = entry is not None and entry.kind != "run.queued"
                    heard.extend([(entry.kind, entry.data.get("text"))] if is_said else [])

        listening = asyncio.create_task(listen())
        await until(lambda: heard)
        with full(valkey):
            log.write(Delta, "two ")
            await until(lambda: len(heard) > 1)
            log.write(Delta, "three ")
            await until(lambda: len(heard) > 2)
        log.write(Delta, "four ")
        await until(lambda: len(heard) > 3)
        log.write(Delta, "five.")
        log.emit(Finished(usage=Usage(1, 2, "reported"), finish_reason="stop"))
        await publisher.close(log)
        await listening
        await publisher.end()
        return heard

    heard = play(course())
    assert heard[:3] == [("run.delta", "One "), ("run.delta", "two "), ("run.snapshot", "One two three ")]
    assert heard[3] == ("run.snapshot", "One two three four ")
    assert heard[4:] == [("run.delta", "five."), ("run.finished", None)]


async def until(happened):
    async with asyncio.timeout(5):
        while not happened():  # noqa: ASYNC110 nothing tells when
            await asyncio.sleep(0.01)


def test_who_comes_later_gets_the_text_from_the_log_once_there_is_room_again(monkeypatch, valkey):
    monkeypatch.setattr(publishing, "FULL_WAIT_S", 0.05)
    run = build.run(account=build.account())

    async def course():
        publisher = Publisher()
        log = publisher.open(run.pk, 1)
        with full(valkey):
            log.write(Delta, "Unkept ")
            await asyncio.sleep(0.2)
        log.write(Delta, "and kept.")
        await publisher.close(log)
        entries = await publisher.read(run.pk)
        await publisher.end()
        return [(entry.kind, entry.data["text"]) for entry in entries]

    assert play(course()) == [("run.snapshot", "Unkept and kept.")]
