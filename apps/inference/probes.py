"""Whether servers are up, asked without any run: a list of their models, which costs nothing."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from time import monotonic
from typing import NamedTuple

import httpx

from apps.core import guards
from apps.inference import backends, language_models
from apps.inference.calls import CallError, Server
from apps.inference.providers import HEADERS, exchange

TIMEOUT_S = 5.0
MS = 1000


class Outcome(NamedTuple):
    """What a server said: nothing wrong, after so many ms; or what went wrong."""

    server: Server
    error: CallError | None
    took_ms: int


def probe_all(*, clock: Callable[[], datetime]) -> int:
    """Ask every server that is set up and names a path for it; how many are not up.

    Effect  an act for each server: what it said is kept, and who failed again and again rests.
    """
    guards.outside_transaction()
    asked = [server for server in language_models.all_servers() if server.probe]
    outcomes = asyncio.run(ask_all(asked))
    for server, error, took_ms in outcomes:
        backends.note_probe(server.key, error, took_ms, now=clock())
    return sum(outcome.error is not None for outcome in outcomes)


async def ask_all(servers: Sequence[Server]) -> list[Outcome]:
    """Ask servers, all at the same time: one that hangs keeps nobody waiting but itself."""
    async with httpx.AsyncClient(timeout=TIMEOUT_S) as http:
        return await asyncio.gather(*(_ask(http, server) for server in servers))


async def _ask(http: httpx.AsyncClient, server: Server) -> Outcome:
    began, error = monotonic(), None
    try:
        response = await http.get(server.base_url + server.probe, headers=HEADERS[server.provider](server))
    except httpx.TimeoutException:
        error = CallError("timed_out", "probe")
    except (httpx.TransportError, httpx.InvalidURL) as problem:
        error = CallError("unreachable", f"probe: {type(problem).__name__}")
    else:
        error = _refusal_of(response)
    return Outcome(server, error, round((monotonic() - began) * MS))


def _refusal_of(response: httpx.Response) -> CallError | None:
    """Only what would stop every call counts: a server that is busy, or has no such list, is up."""
    refusal = None if response.is_success else exchange.refusal_of(response)
    return refusal if refusal is not None and refusal.reason in ("server_error", "unauthorised") else None
