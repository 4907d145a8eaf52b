"""Bytes of a chat completion stream → pieces. No I/O: whoever has bytes sends them in, whatever their cut.

Lines end with LF or CRLF; lines that begin with a colon are comments; several data lines of one frame are joined.
"""

from collections.abc import Generator, Iterator
from typing import Any

import orjson

from apps.inference import token_counts
from apps.inference.calls import Broken, Done, Finish, Muddle, Piece, Text, Thought

LONGEST_LINE = 1024 * 1024
END = b""  # sent in when the connection ended


def parse(usage: str = "openai") -> Generator[list[Piece], bytes, None]:
    """Take bytes by `send`, give the pieces they complete; `END` says that no more will come.

    usage   the convention by which the server counts tokens.
    After `Done` or `Broken` nothing more is given. A stream that ends without a reason is `Broken("cut_off")`.
    """
    rest, data = b"", b""
    has_reason = is_over = False
    pieces: list[Piece] = []
    while True:
        received = yield pieces
        pieces = []
        if is_over:
            continue
        rest += received or b"\n\n"
        *lines, rest = rest.split(b"\n")
        for line in lines:
            frame, data = _take_line(line.removesuffix(b"\r"), data)
            if frame is None:
                continue
            pieces += _read_frame(frame, usage)
            last = pieces[-1] if pieces else None
            has_reason = has_reason or any(isinstance(piece, Finish) for piece in pieces)
            if isinstance(last, (Done, Broken)):
                is_over = True
                break
        else:
            ending = _judge_end(rest, is_end=not received, has_reason=has_reason)
            if ending is not None:
                is_over = True
                pieces.append(ending)


def _take_line(line: bytes, data: bytes) -> tuple[bytes | None, bytes]:
    """Add a line to the frame being gathered: the frame if this line ends it, and what is gathered now."""
    if not line:
        return data or None, b""
    if line.startswith(b"data:"):
        value = line[5:].removeprefix(b" ")
        return None, data + b"\n" + value if data else value
    return None, data


def _judge_end(rest: bytes, *, is_end: bool, has_reason: bool) -> Piece | None:
    if is_end:
        return Done() if has_reason else Broken("cut_off", "the stream ended without a reason")
    if len(rest) > LONGEST_LINE:
        return Broken("broken", "a line without end")
    return None


def _read_frame(frame: bytes, usage: str) -> list[Piece]:
    if frame == b"[DONE]":
        return [Done()]
    try:
        body = orjson.loads(frame)
        return list(_pieces_of(body, usage))
    except (orjson.JSONDecodeError, AttributeError, LookupError, TypeError):
        return [Broken("broken", "a frame that is not a chat completion chunk")]


def _pieces_of(body: dict[str, Any], usage: str) -> Iterator[Piece]:  # Any: foreign JSON; the caller catches bad shapes
    if body.get("error"):
        yield _told_error(body["error"])
        return
    for choice in body.get("choices") or ():
        delta = choice.get("delta") or {}
        thought = delta.get("reasoning_content") or delta.get("reasoning")
        if thought:
            yield Thought(_text(thought))
        if delta.get("content"):
            yield Text(_text(delta["content"]))
        if choice.get("finish_reason"):
            yield Finish(_text(choice["finish_reason"])[:24])
    if body.get("usage"):
        yield token_counts.read(usage, body["usage"]) or Muddle()


def _told_error(error: object) -> Broken:
    """A server's own words may quote the prompt: only its code is kept."""
    code = error.get("code") or error.get("type") if isinstance(error, dict) else None
    return Broken("server_error", str(code or "error in the stream")[:80])


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("text expected")
    return value.replace("\x00", "\ufffd")  # no database column takes NUL
