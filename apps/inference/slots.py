"""How many answers a server writes at once, for all workers together: who has a place is kept in Valkey, for a while.

A place is prolonged while its answer is being made, so that a lost worker takes none with it for long. Without Valkey
each process keeps to the limit by itself: a few too many for a while are better than none.
"""

import asyncio
from collections import defaultdict
from uuid import UUID

import redis
import structlog

from apps.inference import relay
from apps.inference.calls import Server

log = structlog.get_logger(__name__)

HELD_MS = 15_000  # without being prolonged
# KEYS: the server's places.  ARGV: who wants one, how many there are, life in ms.  1: has one; 0: full.
TAKE = """
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) and not redis.call('ZSCORE', KEYS[1], ARGV[1]) then return 0 end
redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
"""
# KEYS: the server's places.  ARGV: life in ms, then who has one. Also those that were forgotten meanwhile get it back.
KEEP = """
local t = redis.call('TIME')
local until_ms = t[1] * 1000 + math.floor(t[2] / 1000) + ARGV[1]
for i = 2, #ARGV do redis.call('ZADD', KEYS[1], until_ms, ARGV[i]) end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 0
"""


class Slots:
    """The places that this process's answers have; lives on its event loop."""

    def __init__(self) -> None:
        self._valkey = relay.connect_async(connections=2)
        self._take = self._valkey.register_script(TAKE)
        self._keep = self._valkey.register_script(KEEP)
        self._held: defaultdict[str, set[UUID]] = defaultdict(set)

    async def take(self, server: Server, run_id: UUID) -> bool:
        """Get a place; False when the server is full. One that states no limit always has one."""
        if not server.max_concurrency:
            return True
        held = self._held[server.key]
        try:
            async with asyncio.timeout(relay.TIMEOUT_S):
                values: list[str | int] = [str(run_id), server.max_concurrency, HELD_MS]
                has_room = bool(await self._take(keys=[_key(server.key)], args=values))
        except (redis.RedisError, OSError) as error:
            log.warning("slots.not_counted", backend=server.key, reason=type(error).__name__)
            has_room = len(held) < server.max_concurrency
        if has_room:
            held.add(run_id)
        return has_room

    async def give_back(self, server: Server, run_id: UUID) -> None:
        """Leave a place to others."""
        if not server.max_concurrency:
            return
        self._held[server.key].discard(run_id)
        try:
            async with asyncio.timeout(relay.TIMEOUT_S):
                await self._valkey.zrem(_key(server.key), str(run_id))
        except (redis.RedisError, OSError) as error:  # it is free again by itself, a little later
            log.warning("slots.not_given_back", backend=server.key, reason=type(error).__name__)

    async def keep(self) -> None:
        """Prolong what is held."""
        held = {backend: runs for backend, runs in self._held.items() if runs}
        calls = [self._keep(keys=[_key(backend)], args=[HELD_MS, *map(str, runs)]) for backend, runs in held.items()]
        try:
            async with asyncio.timeout(relay.TIMEOUT_S):
                await asyncio.gather(*calls)
        except (redis.RedisError, OSError) as error:
            log.warning("slots.not_kept", backends=len(held), reason=type(error).__name__)

    async def close(self) -> None:
        """Give the connections back."""
        await self._valkey.aclose()


def _key(backend: str) -> str:
    return f"backend:{backend}:places"
