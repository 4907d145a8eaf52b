"""The servers as one worker process uses them: connections, places, further tries, and what it tells the others."""

import asyncio
import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from time import monotonic
from uuid import UUID

import httpx
import structlog
from django.db import DatabaseError
from httpx_aiohttp import AiohttpTransport

from apps.core import http
from apps.inference import backends, steps
from apps.inference.calls import CallError, Server
from apps.inference.router import RetryBudget
from apps.inference.slots import Slots

log = structlog.get_logger(__name__)

MOST_CONNECTIONS = 2000
NOTE_OK_EVERY = timedelta(seconds=10)
LOOK_AGAIN_S = 0.25  # at places that other processes hold


class Fleet:
    """Lives on the engine's loop."""

    def __init__(self) -> None:
        limits = httpx.Limits(max_connections=MOST_CONNECTIONS, keepalive_expiry=30)
        self.http = httpx.AsyncClient(transport=AiohttpTransport(limits=limits), timeout=http.timeouts())
        self.budget = RetryBudget()
        self._slots = Slots()
        self._left = asyncio.Event()  # somebody gave a place back
        self._noted_ok: dict[str, datetime] = {}
        self._notes: set[asyncio.Task[None]] = set()

    async def find_room(self, servers: Sequence[Server], run_id: UUID, *, patience_s: float) -> Server | None:
        """Get a place at the first of these servers that has one; wait for it when all are full. None: still full."""
        until = monotonic() + patience_s
        while True:
            self._left.clear()
            for server in servers:
                if await self._slots.take(server, run_id):
                    return server
            if monotonic() > until:
                return None
            await self._wait_for_room()

    async def leave(self, server: Server, run_id: UUID) -> None:
        """Give the place back."""
        await self._slots.give_back(server, run_id)
        self._left.set()
        if self._notes:  # a few milliseconds, every ten seconds; an answer that is stopped here stops no other's note
            await asyncio.wait(self._notes)

    async def keep_places(self) -> None:
        """Prolong what this process's answers hold."""
        await self._slots.keep()

    def note_ok(self, server: Server, *, now: datetime) -> None:
        """Tell the others that a server answers; now and then, and at once when it did not before."""
        noted = self._noted_ok.get(server.key)
        if noted is None or noted + NOTE_OK_EVERY < now or now < noted:
            self._noted_ok[server.key] = now
            # Beside the stream: pieces that came while it waited would be lost with a connection that breaks.
            note = asyncio.get_running_loop().create_task(self._write(backends.note_ok, server.key, now=now))
            self._notes.add(note)
            note.add_done_callback(self._notes.discard)

    async def note_failure(self, server: Server, error: CallError, *, now: datetime) -> None:
        """Tell the others that a server failed."""
        self._noted_ok.pop(server.key, None)
        await self._write(backends.note_failure, server.key, error, now=now)

    async def close(self) -> None:
        """Give the connections back."""
        await self._slots.close()
        await self.http.aclose()

    async def _wait_for_room(self) -> None:
        try:
            async with asyncio.timeout(LOOK_AGAIN_S * random.uniform(0.5, 1)):  # noqa: S311 spreads load
                await self._left.wait()
        except TimeoutError:
            return

    async def _write(self, note: Callable[..., None], *facts: object, now: datetime) -> None:
        try:
            await steps.call(note, *facts, now=now)
        except DatabaseError as problem:  # no reason to lose an answer
            log.warning("server.not_noted", backend=facts[0], reason=type(problem).__name__)
