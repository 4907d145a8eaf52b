"""One streamed call over HTTP, whatever the dialect: refusals, broken connections, the last bytes."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Mapping
from contextlib import suppress
from typing import NamedTuple

import httpx
import orjson

from apps.inference.calls import Broken, CallError, Done, Piece
from apps.inference.providers.frames import END

REASONS = {
    401: "unauthorised",
    403: "unauthorised",
    404: "missing",
    408: "timed_out",
    429: "overloaded",
    529: "overloaded",  # Anthropic, "Errors"
}
HEADERS = {"Content-Type": "application/json", "Accept": "text/event-stream", "Accept-Encoding": "identity"}
LAST_BYTES_S = 0.2  # after the last word, for the connection's end: only a connection read to its end is used again
OK = 200
SERVER_ERROR = 500


class Call(NamedTuple):
    """What is sent, and what reads the answer."""

    url: str
    headers: Mapping[str, str]
    body: Mapping[str, object]
    parser: Generator[list[Piece], bytes, None]


async def stream(http: httpx.AsyncClient, call: Call) -> AsyncGenerator[list[Piece], None]:
    """Give the pieces of one answer as they come; an empty list says that the server accepted the call.

    Raises  CallError: the server did not accept it, or the connection broke.
    """
    headers = {**HEADERS, **call.headers}
    try:
        async with http.stream("POST", call.url, content=orjson.dumps(call.body), headers=headers) as response:
            if response.status_code != OK:
                raise refusal_of(response)
            yield []
            async for pieces in _read(response, call.parser):
                yield pieces
    except httpx.TimeoutException as error:
        raise CallError(_reason_of(error), type(error).__name__) from error
    except (httpx.TransportError, httpx.InvalidURL) as error:
        raise CallError("unreachable", type(error).__name__) from error


def refusal_of(response: httpx.Response) -> CallError:
    """What a status other than 200 means."""
    status = response.status_code
    reason = REASONS.get(status) or ("server_error" if status >= SERVER_ERROR else "refused")
    retry_after = response.headers.get("Retry-After", "")
    wait_s = float(retry_after) if retry_after.isdecimal() else None
    return CallError(reason, f"status {status}", retry_after_s=wait_s)


async def _read(response: httpx.Response, parser: Generator[list[Piece], bytes, None]) -> AsyncIterator[list[Piece]]:
    next(parser)
    chunks = response.aiter_raw()
    async for chunk in chunks:
        pieces = parser.send(chunk)
        if pieces:
            yield pieces
            if isinstance(pieces[-1], Done):
                await _read_rest(chunks)
                return
            if isinstance(pieces[-1], Broken):
                return
    pieces = parser.send(END)
    if pieces:
        yield pieces


async def _read_rest(chunks: AsyncIterator[bytes]) -> None:
    with suppress(TimeoutError, httpx.HTTPError):
        async with asyncio.timeout(LAST_BYTES_S):
            async for _chunk in chunks:
                pass


def _reason_of(error: httpx.TimeoutException) -> str:
    # The transport reports a connection that was closed before its answer in this way.
    return "unreachable" if isinstance(error, httpx.ConnectTimeout) else "timed_out"
