"""Bytes of a message stream → pieces; see `frames`. What the input was is told first, the output at the end."""

from collections.abc import Generator, Iterator
from typing import Any

from apps.inference import token_counts
from apps.inference.calls import Done, Finish, Muddle, Piece, Text, Thought
from apps.inference.providers import frames

REASONS = {"overloaded_error": "overloaded", "rate_limit_error": "overloaded", "authentication_error": "unauthorised"}
# Anthropic's reasons in OpenAI's words; another one stays as it is.
ENDINGS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}


def parse() -> Generator[list[Piece], bytes, None]:
    """Read the stream."""
    return frames.parse(_Message().read)


class _Message:
    """One message being told: its counts come in two parts."""

    def __init__(self) -> None:
        self._usage: dict[str, Any] = {}  # Any: foreign JSON; token_counts judges it

    def read(self, body: frames.Body) -> Iterator[Piece]:
        match body["type"]:
            case "message_start":
                yield from self._count(body["message"].get("usage"))
            case "content_block_start":
                yield from self._read_part(body["content_block"])
            case "content_block_delta":
                yield from self._read_part(body["delta"])
            case "message_delta":
                reason = body["delta"].get("stop_reason")
                if reason:
                    yield Finish(ENDINGS.get(reason) or frames.text_of(reason)[:24])
                yield from self._count(body.get("usage"))
            case "message_stop":
                yield Done()
            case "error":
                yield frames.told_error(body["error"], REASONS)

    def _count(self, usage: dict[str, Any] | None) -> Iterator[Piece]:
        if usage:
            self._usage |= {name: count for name, count in usage.items() if count is not None}
            yield token_counts.read("anthropic", self._usage) or Muddle()

    def _read_part(self, part: dict[str, Any]) -> Iterator[Piece]:
        """A block's beginning or a piece of it; tools, signatures and the like have no words."""
        if part.get("text"):
            yield Text(frames.text_of(part["text"]))
        if part.get("thinking"):
            yield Thought(frames.text_of(part["thinking"]))
