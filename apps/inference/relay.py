"""The log of a run in Valkey, and how it reaches who follows: written by workers, read by web processes.

A run's log is a stream that only grows. An entry's id is `<attempt>-<number>`, both counted by the worker, so ids grow,
a late worker of an earlier attempt cannot write any more, and the id serves as the `Last-Event-ID` of a browser.
Who follows a run is registered beside its log; with each batch every reader (a web process) gets one message with all
that concerns it. What was missed, is read from the log. Everything here may be lost: Postgres has the truth. When
Valkey is full, answers go on: who follows now is told the whole text now and then, others get it from Postgres.
"""

import asyncio
from collections.abc import Iterable
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

import orjson
import redis
import structlog
from django.conf import settings
from redis.asyncio import BlockingConnectionPool
from redis.asyncio import Redis as AsyncRedis

from apps.core.errors import Invalid
from apps.inference.events import TERMINAL, Event, Snapshot

log = structlog.get_logger(__name__)

LOG_LIFE_S = 45 * 60  # longer than all attempts of one run together
ENDED_LIFE_S = 2 * 60  # of the log of a run that is over: who was gone for longer gets it whole from Postgres
STOPS_CHANNEL = "runs:stop"
TIMEOUT_S = 2.0
PATIENCE_S = 0.1

# KEYS: for each entry its log and its readers.  ARGV: life of a log, and of one that is over, in ms; then for each
# entry: run, id, kind, body.  Gives how many entries found no room in the log.
# An entry that its log refuses (an id of an earlier attempt, or a repeat) reaches nobody. One for which there is no
# room still reaches who follows now.
APPEND = """
local letters, full, over = {}, 0, {TERMINAL}
for i = 1, #KEYS, 2 do
  local at = 2 * i + 1
  local run, id, kind, body = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  local added = redis.pcall('XADD', KEYS[i], id, 'k', kind, 'd', body)
  local has_no_room = type(added) == 'table' and string.sub(added.err or '', 1, 3) == 'OOM'
  if has_no_room then full = full + 1 end
  if type(added) == 'string' and over[kind] then redis.call('PEXPIRE', KEYS[i], ARGV[2])
  elseif type(added) == 'string' then redis.call('PEXPIRE', KEYS[i], ARGV[1], 'NX') end
  if type(added) == 'string' or has_no_room then
    for _, reader in ipairs(redis.call('SMEMBERS', KEYS[i + 1])) do
      local lines = letters[reader]
      if not lines then lines = {} letters[reader] = lines end
      lines[#lines + 1] = run .. ' ' .. id .. ' ' .. kind .. ' ' .. body
    end
  end
end
for reader, lines in pairs(letters) do redis.call('PUBLISH', reader, table.concat(lines, '\\n')) end
return full
""".replace("{TERMINAL}", "{" + ", ".join(f"['{kind}'] = true" for kind in sorted(TERMINAL)) + "}")


class Position(NamedTuple):
    """An entry's id as numbers, which compare as the log does."""

    attempt: int
    number: int

    def __str__(self) -> str:
        return f"{self.attempt}-{self.number}"

    def is_followed_by(self, other: "Position") -> bool:
        """Whether nothing can lie between the two."""
        return other == (self.attempt, self.number + 1) or (self == START and other == FIRST)


START = Position(0, 0)
FIRST = Position(1, 1)
AFTER_ALL = 2**62  # a number no worker reaches: whatever it wrote before, this comes later


class Entry(NamedTuple):
    """One event of one run as it stands in the log; `body` is JSON. An event that is in no log has no position."""

    position: Position | None
    kind: str
    body: bytes

    @property
    def id(self) -> str | None:
        """What a browser sends back as Last-Event-ID."""
        return str(self.position) if self.position else None

    @property
    def is_terminal(self) -> bool:
        """Whether nothing comes after it."""
        return self.kind in TERMINAL

    @property
    def has_all(self) -> bool:
        """Whether it holds the whole text: what came before it need not be known."""
        return self.kind == Snapshot.kind

    @property
    def data(self) -> dict[str, Any]:
        """Its JSON, read; Any: the kind says which keys there are (see `events`)."""
        return orjson.loads(self.body)  # type: ignore[no-any-return]  # every body is an object

    @classmethod
    def of(cls, event: Event) -> "Entry":
        """An event that stands in no log."""
        return cls(None, event.kind, event.body())


class Line(NamedTuple):
    """One entry on its way into the log of its run."""

    run_id: UUID
    position: Position
    kind: str
    body: bytes


def read_position(text: str | None) -> Position:
    """Read a Last-Event-ID; none is the start.

    Raises  Invalid: not an id that we ever gave.
    """
    if not text:
        return START
    attempt, _dash, number = text.partition("-")
    if not (attempt.isdecimal() and number.isdecimal() and len(text) <= 40 and text.isascii()):  # noqa: PLR2004
        raise Invalid("Last-Event-ID is not an id of this stream.", field="Last-Event-ID")
    return Position(int(attempt), int(number))


def log_key(run_id: UUID | str) -> str:
    """Where the log of a run lies."""
    return f"run:{run_id}:log"


def readers_key(run_id: UUID | str) -> str:
    """Where the channels of the web processes that follow a run lie."""
    return f"run:{run_id}:readers"


def arguments(lines: Iterable[Line]) -> tuple[list[str], list[str | bytes | int]]:
    """KEYS and ARGV of `APPEND`."""
    keys: list[str] = []
    values: list[str | bytes | int] = [LOG_LIFE_S * 1000, ENDED_LIFE_S * 1000]
    for run_id, position, kind, body in lines:
        run = str(run_id)  # once: a busy worker is here thousands of times a second
        keys += (log_key(run), readers_key(run))
        values += (run, str(position), kind, body)
    return keys, values


def connect_async(*, connections: int) -> AsyncRedis:
    """A client of Valkey for one event loop, with at most so many connections; waits for a free one."""
    pool = BlockingConnectionPool.from_url(
        settings.VALKEY_URL,
        max_connections=connections,
        timeout=TIMEOUT_S,
        socket_connect_timeout=TIMEOUT_S,
        socket_keepalive=True,
    )
    return AsyncRedis.from_pool(pool)


async def end_listening(task: asyncio.Task[None]) -> None:
    """Cancel a task that listens to Valkey, and wait until it is over.

    While it connects, the client may swallow a cancellation (redis-py's issue 2551), so one is not enough.
    """
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=PATIENCE_S)


def announce(run_id: UUID, position: Position, event: Event) -> None:
    """Append one event from outside a worker's loop. Without Valkey it is only logged: Postgres knows what is true."""
    keys, values = arguments([Line(run_id, position, event.kind, event.body())])
    try:
        _valkey(settings.VALKEY_URL).eval(APPEND, len(keys), *keys, *values)
    except redis.RedisError as error:
        log.warning("relay.not_announced", run_id=str(run_id), reason=type(error).__name__)


def ask_to_stop(run_id: UUID) -> None:
    """Tell every worker that a run should stop; who has it, stops it. Lost without Valkey: the worker reads the row."""
    try:
        _valkey(settings.VALKEY_URL).publish(STOPS_CHANNEL, str(run_id))
    except redis.RedisError as error:
        log.warning("relay.stop_not_sent", run_id=str(run_id), reason=type(error).__name__)


@cache
def _valkey(url: str) -> redis.Redis:
    pool = redis.BlockingConnectionPool.from_url(
        url, max_connections=4, timeout=TIMEOUT_S, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S
    )
    return redis.Redis.from_pool(pool)
