"""How a worker's loop writes events: pieces of text are gathered, all runs of a moment go out in one call.

The first piece of an answer leaves at once. Later ones wait a little when many answers are open: a fixed wait would
cost every reader, none at all would cost the machine. Nothing here makes a run wait for Valkey.
"""

import asyncio
from typing import Any
from uuid import UUID

import redis
import structlog

from apps.inference import gauges, relay
from apps.inference.events import Delta, Event, Reasoning, Snapshot

log = structlog.get_logger(__name__)

FEW_OPEN = 16  # up to so many open answers nothing waits
SHORTEST_WAIT_S = 0.001
MANY_OPEN = 48  # from here on each open answer makes all wait a little longer: two hundred wait 40 ms
WAIT_PER_OPEN_S = 0.00026
LONGEST_WAIT_S = 0.06
RETRIES = 4  # of a batch, when Valkey does not answer; then it is dropped and the logs are healed with a snapshot
RETRY_WAIT_S = 0.25
FULL_WAIT_S = 1.0  # while Valkey has no room: the whole text goes out so often, and no piece between
DRAIN_S = 3.0


def wait_s(many_open: int) -> float:
    """How long a piece of text may wait for others, with so many answers open in this process."""
    if many_open <= FEW_OPEN:
        return 0.0
    return min(LONGEST_WAIT_S, max(SHORTEST_WAIT_S, WAIT_PER_OPEN_S * (many_open - MANY_OPEN)))


class RunLog:
    """The log of one run during one attempt: counts the ids, joins pieces of text that leave together."""

    def __init__(self, publisher: "Publisher", run_id: UUID, attempt: int) -> None:
        self.run_id, self.attempt, self.number = run_id, attempt, 0
        self.has_hole = False  # a batch was dropped: the next text is sent whole
        self._publisher = publisher
        self._lines: list[relay.Line] = []
        self._kind: type[Delta | Reasoning] = Delta
        self._pieces: list[str] = []
        self._all: dict[type[Delta | Reasoning], list[str]] = {Delta: [], Reasoning: []}

    def emit(self, event: Event) -> None:
        """Send one event now, after the text that came before it."""
        self._close_text()
        self._append(event)
        self._publisher.want(self, at_once=True)

    def write(self, kind: type[Delta | Reasoning], text: str) -> None:
        """Send a piece of text: the first at once, the others with the next batch."""
        is_first = not self._all[kind]
        if kind is not self._kind:
            self._close_text()
            self._kind = kind
        self._pieces.append(text)
        self._all[kind].append(text)
        self._publisher.want(self, at_once=is_first)

    def take_up(self, text: str, reasoning: str) -> None:
        """Begin with what an earlier attempt wrote. Nothing is sent by this."""
        self._all = {Delta: [text] if text else [], Reasoning: [reasoning] if reasoning else []}

    def collect(self) -> list[relay.Line]:
        """Take what is to be sent."""
        self._close_text()
        lines, self._lines = self._lines, []
        return lines

    @property
    def text(self) -> str:
        """The answer so far."""
        return self._joined(Delta)

    @property
    def reasoning(self) -> str:
        """The thinking so far."""
        return self._joined(Reasoning)

    def _joined(self, kind: type[Delta | Reasoning]) -> str:
        pieces = self._all[kind]
        if len(pieces) > 1:
            pieces[:] = ["".join(pieces)]
        return pieces[0] if pieces else ""

    def _close_text(self) -> None:
        piece = "".join(self._pieces)
        self._pieces.clear()
        if self.has_hole:
            self.has_hole = False
            self._append(Snapshot(text=self.text, reasoning=self.reasoning))
        elif piece:
            self._append(self._kind(text=piece))

    def _append(self, event: Event) -> None:
        self.number += 1
        position = relay.Position(self.attempt, self.number)
        self._lines.append(relay.Line(self.run_id, position, event.kind, event.body()))


class Publisher:
    """The only writer of one worker process; lives on its event loop."""

    def __init__(self) -> None:
        self._valkey = relay.connect_async(connections=2)
        self._append = self._valkey.register_script(relay.APPEND)
        self._open: set[RunLog] = set()
        self._wanted: dict[RunLog, None] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._sending: asyncio.Task[None] | None = None
        self._is_full = False

    def open(self, run_id: UUID, attempt: int) -> RunLog:
        """Begin the log of one attempt."""
        run_log = RunLog(self, run_id, attempt)
        self._open.add(run_log)
        return run_log

    async def close(self, run_log: RunLog) -> None:
        """Wait until all of it is sent, or Valkey was given up; then forget it."""
        self._open.discard(run_log)
        try:
            async with asyncio.timeout(DRAIN_S):
                while run_log in self._wanted or (self._sending and not self._sending.done()):
                    self._send_now()
                    if self._sending:
                        await asyncio.shield(self._sending)
        except TimeoutError:
            log.warning("relay.not_drained", run_id=str(run_log.run_id))

    async def read(self, run_id: UUID) -> list[relay.Entry]:
        """The log of a run so far.

        Raises  redis.RedisError, TimeoutError: Valkey does not answer.
        """
        rows: Any  # redis-py's type also covers text answers
        async with asyncio.timeout(relay.TIMEOUT_S):
            rows = await self._valkey.xrange(relay.log_key(run_id))
        return [relay.Entry(None, fields[b"k"].decode(), fields[b"d"]) for _id, fields in rows]

    async def end(self) -> None:
        """Give the connections back."""
        if self._sending and not self._sending.done():
            await self._sending
        await self._valkey.aclose()

    def want(self, run_log: RunLog, *, at_once: bool) -> None:
        """Note that a log has something to send."""
        self._wanted[run_log] = None
        patience_s = 0.0 if at_once else wait_s(len(self._open))
        if not patience_s:
            self._send_now()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(patience_s, self._send_now)

    def _send_now(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._sending is None or self._sending.done():
            self._sending = asyncio.get_running_loop().create_task(self._send())

    async def _send(self) -> None:
        while self._wanted:
            batch, self._wanted = self._wanted, {}
            lines = [line for run_log in batch for line in run_log.collect()]
            if lines and not await self._sent(lines):
                for run_log in batch:
                    run_log.has_hole = True
                if self._is_full:
                    await asyncio.sleep(FULL_WAIT_S)
            if self._timer is not None:
                return  # what came meanwhile may wait for its moment

    async def _sent(self, lines: list[relay.Line]) -> bool:
        keys, values = relay.arguments(lines)
        for attempt in range(RETRIES):
            try:
                full: Any = await self._append(keys=keys, args=values)
            except (redis.RedisError, OSError) as error:
                log.warning("relay.not_sent", lines=len(lines), attempt=attempt + 1, reason=type(error).__name__)
                await asyncio.sleep(RETRY_WAIT_S * (attempt + 1))
            else:
                self._is_full = bool(full)
                if full:
                    gauges.relay_full.inc(full)
                    log.warning("relay.full", lines=full)
                return not full
        return False
