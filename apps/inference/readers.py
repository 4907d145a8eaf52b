"""One web process as a reader: one subscription for all the runs it follows, each follower with a queue of its own."""

import asyncio
from collections import defaultdict
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

import redis
import structlog

from apps.core import ids
from apps.inference import relay
from apps.inference.relay import Entry, Position

log = structlog.get_logger(__name__)

MOST_WAITING = 500  # entries a slow client may lag behind; then it reads the log instead
RECONNECT_S = 0.5
GAP = Entry(None, "gap", b"")  # something may be missing: read the log
Queue = asyncio.Queue[Entry]


class Reader:
    """Lives on one event loop. Its channel is its own; who it follows is registered beside each run's log."""

    def __init__(self) -> None:
        self.channel = f"reader:{ids.uuid7()}"
        self._valkey = relay.connect_async(connections=5)
        self._queues: defaultdict[str, set[Queue]] = defaultdict(set)
        self._listening: asyncio.Task[None] | None = None
        self._is_subscribed = asyncio.Event()
        self._was_lost = False

    def join(self, run_id: UUID) -> Queue:
        """Begin to gather what arrives for a run."""
        if self._listening is None:
            self._listening = asyncio.create_task(self._listen())
        queue: Queue = asyncio.Queue(MOST_WAITING)
        self._queues[str(run_id)].add(queue)
        return queue

    def leave(self, run_id: UUID, queue: Queue) -> None:
        """Stop gathering. What workers still send for the run is dropped on arrival."""
        key = str(run_id)
        self._queues[key].discard(queue)
        if not self._queues[key]:
            del self._queues[key]

    async def catch_up(self, run_id: UUID, after: Position) -> list[Entry]:
        """Register for a run and read its log beyond `after`, in one transaction: what comes later will be sent.

        When Valkey is full it only reads: who is registered already stays so, another one looks at Postgres.
        Raises  redis.RedisError, TimeoutError: Valkey does not answer.
        """
        async with asyncio.timeout(relay.TIMEOUT_S):
            await self._is_subscribed.wait()
            try:
                rows = await self._register_and_read(run_id, after)
            except redis.ResponseError as error:
                if "OOM" not in str(error):
                    raise
                log.warning("relay.full", run_id=str(run_id))
                rows = await self._valkey.xrange(relay.log_key(run_id), min=f"({after}", max="+")
        return [_entry(entry_id, fields[b"k"], fields[b"d"]) for entry_id, fields in rows]

    async def _register_and_read(self, run_id: UUID, after: Position) -> Any:  # noqa: ANN401 redis-py's own
        key = relay.readers_key(run_id)
        async with self._valkey.pipeline(transaction=True) as pipe:
            pipe.sadd(key, self.channel)
            pipe.expire(key, relay.LOG_LIFE_S)
            pipe.xrange(relay.log_key(run_id), min=f"({after}", max="+")
            _added, _expires, rows = await pipe.execute()
        return rows

    async def read(self, run_id: UUID) -> list[Entry]:
        """The whole log of a run, without following it.

        Raises  redis.RedisError, TimeoutError: Valkey does not answer.
        """
        rows: Any  # redis-py's type also covers text answers
        async with asyncio.timeout(relay.TIMEOUT_S):
            rows = await self._valkey.xrange(relay.log_key(run_id))
        return [_entry(entry_id, fields[b"k"], fields[b"d"]) for entry_id, fields in rows]

    async def close(self) -> None:
        """Give the connections back."""
        if self._listening is not None:
            await relay.end_listening(self._listening)
        await self._valkey.aclose()

    async def _listen(self) -> None:
        while True:
            try:
                await self._read_channel()
            except (redis.RedisError, OSError) as error:
                log.warning("relay.reader_lost", reason=type(error).__name__)
            self._is_subscribed.clear()
            self._was_lost = True
            await asyncio.sleep(RECONNECT_S)

    async def _read_channel(self) -> None:
        async with self._valkey.pubsub() as channel:
            await channel.subscribe(self.channel)
            async for message in channel.listen():
                if message["type"] == "subscribe":
                    self._is_subscribed.set()
                    if self._was_lost:
                        self._warn_all()
                elif message["type"] == "message":
                    self._deliver(message["data"])

    def _warn_all(self) -> None:
        for queues in self._queues.values():
            for queue in queues:
                _put(queue, GAP)

    def _deliver(self, letter: bytes) -> None:
        for line in letter.split(b"\n"):
            run_id, entry_id, kind, body = line.split(b" ", 3)
            queues = self._queues.get(run_id.decode())
            if queues:
                entry = _entry(entry_id, kind, body)
                for queue in queues:
                    _put(queue, entry)


def _entry(entry_id: bytes, kind: bytes, body: bytes) -> Entry:
    attempt, _dash, number = entry_id.partition(b"-")
    return Entry(Position(int(attempt), int(number)), kind.decode(), body)


def _put(queue: Queue, entry: Entry) -> None:
    try:
        queue.put_nowait(entry)
    except asyncio.QueueFull:
        while not queue.empty():
            queue.get_nowait()
        queue.put_nowait(GAP)


_readers: WeakKeyDictionary[asyncio.AbstractEventLoop, Reader] = WeakKeyDictionary()


def this_loops() -> Reader:
    """The reader of the running event loop: a web process has one."""
    loop = asyncio.get_running_loop()
    reader = _readers.get(loop)
    if reader is None:
        reader = _readers[loop] = Reader()
    return reader


async def close() -> None:
    """Close the running loop's reader, if it has one: for processes that end, and tests."""
    reader = _readers.pop(asyncio.get_running_loop(), None)
    if reader is not None:
        await reader.close()
