"""Follow a run from any point to its end: the log, then live, and from Postgres what Valkey does not know any more."""

import asyncio
from collections.abc import AsyncGenerator

import redis
import structlog

from apps.inference import places, readers, relay, runs, steps
from apps.inference.events import Queued, Snapshot
from apps.inference.models import Run
from apps.inference.relay import Entry, Position

log = structlog.get_logger(__name__)

HEARTBEAT_S = 15.0
FIRST_LOOK_S = 1.0  # a run that nobody took by then is waiting: say at which place
QUEUED_LOOK_S = 5.0
WITHOUT_VALKEY_S = 2.0


async def follow(
    run: Run, *, after: str | None = None, heartbeat_s: float = HEARTBEAT_S
) -> AsyncGenerator[Entry | None, None]:
    """Give each event of a run once and in order, the terminal one last; None when nothing happened for a while.

    run     as just read: whose it is, is the caller's business.
    after   the id of the last event that was received; nothing up to it is repeated.
    Raises  Invalid: `after` is not an id of ours.
    """
    follower = _Follower(run, relay.read_position(after))
    try:
        wait_s = FIRST_LOOK_S if run.state == Run.State.QUEUED else heartbeat_s
        while not run.is_over:
            entries = await follower.next_entries(wait_s)
            for entry in entries:
                yield entry
                if entry.is_terminal:
                    return
            if not entries:
                run, place = await steps.call(_look_again, run)
                wait_s = heartbeat_s if place is None else QUEUED_LOOK_S
                yield None if place is None else Entry.of(place)
    finally:
        follower.leave()
    for entry in await _ending(run, follower.position):
        yield entry


class _Follower:
    """One follower of one run: knows where it is, and reads the log when something may be missing."""

    def __init__(self, run: Run, position: Position) -> None:
        self.position = position
        self._run_id = run.pk
        self._reader = readers.this_loops()
        self._queue = self._reader.join(run.pk)
        self._is_caught_up = False

    def leave(self) -> None:
        self._reader.leave(self._run_id, self._queue)

    async def next_entries(self, wait_s: float) -> list[Entry]:
        """What comes next; nothing, when nothing came in time or Valkey does not answer."""
        if not self._is_caught_up:
            entries = await self._read_log()
            if entries or not self._is_caught_up:
                return entries
        try:
            async with asyncio.timeout(wait_s):
                entry = await self._next_arrival()
        except TimeoutError:
            return []
        if entry.position is None or not (entry.has_all or self.position.is_followed_by(entry.position)):
            return await self._read_log()
        self.position = entry.position
        return [entry]

    async def _next_arrival(self) -> Entry:
        while True:
            entry = await self._queue.get()
            if entry.position is None or entry.position > self.position:
                return entry

    async def _read_log(self) -> list[Entry]:
        self._is_caught_up = False
        try:
            entries = await self._reader.catch_up(self._run_id, self.position)
        except (redis.RedisError, OSError, TimeoutError) as error:
            log.warning("relay.not_read", run_id=str(self._run_id), reason=type(error).__name__)
            await asyncio.sleep(WITHOUT_VALKEY_S)
            return []
        self._is_caught_up = True
        if entries:
            self.position = entries[-1].position or self.position
        return entries


def _look_again(run: Run) -> tuple[Run, Queued | None]:
    fresh = Run.objects.get(pk=run.pk)
    return fresh, places.find_place(fresh)


async def _ending(run: Run, position: Position) -> list[Entry]:
    """What is left of a run that is over: from its log while that lives, else one snapshot and the terminal event."""
    try:
        entries = await readers.this_loops().read(run.pk)
    except (redis.RedisError, OSError, TimeoutError):
        entries = []
    if any(entry.is_terminal for entry in entries):
        return [entry for entry in entries if entry.position is not None and entry.position > position]
    last_words = Snapshot(text=run.text, reasoning=run.reasoning), runs.terminal_event(run)
    return [Entry.of(event) for event in last_words]
