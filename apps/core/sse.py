"""Frames of server-sent events, as bytes."""

from collections.abc import Mapping

import orjson

HEARTBEAT = b": still here\n\n"
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no", "Content-Encoding": "identity"}


def frame(event: str, data: Mapping[str, object] | bytes, *, event_id: str | None = None) -> bytes:
    """One event with its id, so that a client that lost its connection can say where it was.

    data  a mapping, or what is JSON already and has no line breaks.
    """
    head = f"id: {event_id}\n" if event_id is not None else ""
    body = data if isinstance(data, bytes) else orjson.dumps(data)
    return f"{head}event: {event}\ndata: ".encode() + body + b"\n\n"


def data_frame(data: Mapping[str, object] | str) -> bytes:
    """One unnamed event, as OpenAI's clients read it; the string `[DONE]` ends a stream."""
    return b"data: " + (data.encode() if isinstance(data, str) else orjson.dumps(data)) + b"\n\n"
