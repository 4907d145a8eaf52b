"""Bytes of an event stream → the pieces of a dialect. No I/O: whoever has bytes sends them in, whatever their cut.

Lines end with LF or CRLF; lines that begin with a colon are comments; several data lines of one frame are joined.
"""

from collections.abc import Callable, Generator, Iterator
from typing import Any

import orjson

from apps.inference.calls import Broken, Done, Finish, Piece

LONGEST_LINE = 1024 * 1024
END = b""  # sent in when the connection ended
Body = dict[str, Any]  # Any: foreign JSON; bad shapes are caught where a frame is read
Dialect = Callable[[Body], Iterator[Piece]]


def parse(read: Dialect) -> Generator[list[Piece], bytes, None]:
    """Take bytes by `send`, give the pieces they complete; `END` says that no more will come.

    read    the pieces of one frame's JSON. What it cannot read (KeyError, TypeError and the like) is `Broken`.
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
            pieces += _read_frame(frame, read)
            has_reason = has_reason or any(isinstance(piece, Finish) for piece in pieces)
            if pieces and isinstance(pieces[-1], (Done, Broken)):
                is_over = True
                break
        else:
            ending = _judge_end(rest, data, is_end=not received, has_reason=has_reason)
            if ending is not None:
                is_over = True
                pieces.append(ending)


def text_of(value: object) -> str:
    """A text that the database takes.

    Raises  TypeError: it is none.
    """
    if not isinstance(value, str):
        raise TypeError("text expected")
    return value.replace("\x00", "\ufffd")  # no database column takes NUL


def told_error(error: object, reasons: dict[str, str] | None = None) -> Broken:
    """An error in the middle of a stream. A server's own words may quote the prompt: only its code is kept.

    reasons   codes of the dialect → our reason; others are "server_error".
    """
    code = error.get("code") or error.get("type") if isinstance(error, dict) else None
    told = str(code or "error in the stream")[:80]
    return Broken((reasons or {}).get(told, "server_error"), told)


def _take_line(line: bytes, data: bytes) -> tuple[bytes | None, bytes]:
    """Add a line to the frame being gathered: the frame if this line ends it, and what is gathered now."""
    if not line:
        return data or None, b""
    if line.startswith(b"data:"):
        value = line[5:].removeprefix(b" ")
        return None, data + b"\n" + value if data else value
    return None, data


def _judge_end(rest: bytes, data: bytes, *, is_end: bool, has_reason: bool) -> Piece | None:
    if is_end:
        return Done() if has_reason else Broken("cut_off", "the stream ended without a reason")
    if len(rest) > LONGEST_LINE or len(data) > LONGEST_LINE:
        return Broken("broken", "a frame without end")
    return None


def _read_frame(frame: bytes, read: Dialect) -> list[Piece]:
    if frame == b"[DONE]":
        return [Done()]
    pieces: list[Piece] = []
    try:
        pieces.extend(read(orjson.loads(frame)))
    except (orjson.JSONDecodeError, AttributeError, LookupError, TypeError):
        return [Broken("broken", "a frame that this protocol does not have")]
    return pieces
