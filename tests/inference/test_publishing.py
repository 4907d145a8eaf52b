"""apps/inference/publishing.py and readers.py against a real Valkey: what is written is what is read."""

import asyncio
from uuid import uuid4

import pytest
from django.conf import settings
from redis import Redis

from apps.inference import readers, relay
from apps.inference.events import Delta, Finished, Reasoning, Snapshot, Started, Usage
from apps.inference.publishing import Publisher, wait_s
from apps.inference.relay import Position

END = Finished(usage=Usage(1, 2, "reported"), finish_reason="stop")


@pytest.mark.parametrize(("many_open", "wait_ms"), [(16, 0), (17, 1), (50, 1), (100, 13.5), (200, 39.5), (300, 60)])
def test_pieces_wait_for_others_only_where_many_are_open_and_never_long(many_open, wait_ms):
    assert wait_s(many_open) == pytest.approx(wait_ms / 1000, abs=1e-4)


def valkey():
    return Redis.from_url(settings.VALKEY_URL)


def stored(run_id):
    with valkey() as client:
        rows = client.xrange(relay.log_key(run_id))
    return [(entry_id.decode(), fields[b"k"].decode(), fields[b"d"]) for entry_id, fields in rows]


def play(course):
    """Run a course with a publisher, and close everything after it."""

    async def play():
        publisher = Publisher()
        try:
            return await course(publisher)
        finally:
            await publisher.end()
            await readers.close()

    return asyncio.run(play())


def test_writes_a_log_with_growing_ids_and_joins_text_that_leaves_together():
    run_id = uuid4()

    async def course(publisher):
        log = publisher.open(run_id, 1)
        log.emit(Started(model="chat-small", backend="local"))
        log.write(Reasoning, "Hm")
        log.write(Reasoning, "m.")
        log.write(Delta, "Hel")
        log.write(Delta, "lo")
        log.emit(END)
        await publisher.close(log)

    play(course)
    assert stored(run_id) == [
        ("1-1", "run.started", b'{"model":"chat-small","backend":"local"}'),
        ("1-2", "run.reasoning", b'{"text":"Hmm."}'),
        ("1-3", "run.delta", b'{"text":"Hello"}'),
        ("1-4", "run.finished", END.body()),
    ]


def test_the_log_expires_from_its_first_event_on():
    run_id = uuid4()

    async def course(publisher):
        log = publisher.open(run_id, 1)
        log.write(Delta, "first")
        await publisher.close(log)

    play(course)
    with valkey() as client:
        assert relay.LOG_LIFE_S - 5 < client.ttl(relay.log_key(run_id)) <= relay.LOG_LIFE_S


def test_a_late_worker_of_an_earlier_attempt_cannot_write_any_more():
    run_id = uuid4()

    async def course(publisher):
        reader = readers.this_loops()
        queue = reader.join(run_id)
        await reader.catch_up(run_id, relay.START)
        late, current = publisher.open(run_id, 1), publisher.open(run_id, 2)
        current.write(Delta, "second")
        await publisher.close(current)
        late.write(Delta, "too late")
        await publisher.close(late)
        return [queue.get_nowait() for _ in range(queue.qsize())]

    heard = play(course)
    assert stored(run_id) == [("2-1", "run.delta", b'{"text":"second"}')]
    assert [entry.id for entry in heard] == ["2-1"]


def test_one_call_carries_the_runs_of_a_moment_and_one_letter_reaches_each_reader():
    run_ids = [uuid4() for _ in range(20)]

    async def course(publisher):
        reader = readers.this_loops()
        queues = [reader.join(run_id) for run_id in run_ids]
        for run_id in run_ids:
            await reader.catch_up(run_id, relay.START)
        with valkey() as client, client.pubsub() as listener:
            listener.subscribe(reader.channel)
            assert listener.get_message(timeout=5)["type"] == "subscribe"
            for number, run_id in enumerate(run_ids):
                publisher.open(run_id, 1).write(Delta, f"text of {number}")
            heard = [await asyncio.wait_for(queue.get(), 5) for queue in queues]
            letter = listener.get_message(timeout=5)
        return heard, letter["data"]

    heard, letter = play(course)
    assert [entry.data["text"] for entry in heard] == [f"text of {number}" for number in range(20)]
    assert [line.split()[0].decode() for line in letter.split(b"\n")] == [str(run_id) for run_id in run_ids]


def test_a_dropped_batch_is_healed_by_the_whole_text():
    run_id = uuid4()

    async def course(publisher):
        log = publisher.open(run_id, 1)
        log.write(Delta, "lost ")
        log.collect()
        log.has_hole = True
        log.write(Delta, "found")
        log.emit(END)
        await publisher.close(log)

    play(course)
    assert [row[1:] for row in stored(run_id)] == [
        ("run.snapshot", Snapshot(text="lost found").body()),
        ("run.finished", END.body()),
    ]


def test_catching_up_reads_only_what_comes_after():
    run_id = uuid4()

    async def course(publisher):
        log = publisher.open(run_id, 1)
        for text in ("one", "two", "three"):
            log.emit(Delta(text=text))
        await publisher.close(log)
        reader = readers.this_loops()
        reader.join(run_id)
        return [await reader.catch_up(run_id, Position(1, number)) for number in range(4)]

    rests = play(course)
    assert [[entry.data["text"] for entry in rest] for rest in rests] == [
        ["one", "two", "three"],
        ["two", "three"],
        ["three"],
        [],
    ]


def test_a_reader_that_lags_too_far_is_told_to_read_the_log():
    run_id = uuid4()

    async def course(publisher):
        reader = readers.this_loops()
        queue = reader.join(run_id)
        await reader.catch_up(run_id, relay.START)
        log = publisher.open(run_id, 1)
        for number in range(readers.MOST_WAITING + 1):
            log.emit(Delta(text=str(number)))
        await publisher.close(log)
        while queue.qsize() != 1:  # noqa: ASYNC110 nothing tells when a queue was emptied
            await asyncio.sleep(0.01)
        return queue.get_nowait()

    assert play(course) == readers.GAP
