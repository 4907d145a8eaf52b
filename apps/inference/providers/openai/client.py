"""One streamed chat completion over HTTP."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress

import httpx
import orjson

from apps.inference.calls import Broken, CallError, Done, Piece, Prompt, Server
from apps.inference.providers.openai.parse import END, parse

REASONS = {401: "unauthorised", 403: "unauthorised", 404: "unauthorised", 408: "timed_out", 429: "overloaded"}
LAST_BYTES_S = 0.2  # after the last word, for the connection's end: only a connection read to its end is used again
OK = 200
SERVER_ERROR = 500


async def stream(http: httpx.AsyncClient, server: Server, prompt: Prompt) -> AsyncGenerator[list[Piece], None]:
    """Give the pieces of one answer as they come; an empty list says that the server accepted the call.

    Raises  CallError: the server did not accept it, or the connection broke.
    """
    headers = {"Content-Type": "application/json", "Accept": "text/event-stream", "Accept-Encoding": "identity"}
    if server.api_key:
        headers["Authorization"] = f"Bearer {server.api_key}"
    try:
        url = f"{server.base_url}/chat/completions"
        async with http.stream("POST", url, content=request_body(server, prompt), headers=headers) as response:
            if response.status_code != OK:
                raise refusal_of(response)
            yield []
            async for pieces in _read(response, server.usage):
                yield pieces
    except httpx.TimeoutException as error:
        raise CallError(_reason_of(error), type(error).__name__) from error
    except (httpx.TransportError, httpx.InvalidURL) as error:
        raise CallError("unreachable", type(error).__name__) from error


def request_body(server: Server, prompt: Prompt) -> bytes:
    """The JSON of the call; our own fields go before the prompt's options."""
    return orjson.dumps(
        {
            **prompt.options,
            "model": server.model_name,
            "messages": prompt.messages,
            "stream": True,
            "stream_options": {"include_usage": True},
            server.limit_parameter: prompt.max_output_tokens,
        }
    )


def refusal_of(response: httpx.Response) -> CallError:
    """What a status other than 200 means."""
    status = response.status_code
    reason = REASONS.get(status) or ("server_error" if status >= SERVER_ERROR else "refused")
    retry_after = response.headers.get("Retry-After", "")
    wait_s = float(retry_after) if retry_after.isdecimal() else None
    return CallError(reason, f"status {status}", retry_after_s=wait_s)


async def _read(response: httpx.Response, usage: str) -> AsyncIterator[list[Piece]]:
    parser = parse(usage)
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
