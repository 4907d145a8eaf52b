"""Bytes of a chat completion stream → pieces; see `frames`."""

from collections.abc import Generator, Iterator

from apps.inference import token_counts
from apps.inference.calls import Finish, Muddle, Piece, Text, Thought
from apps.inference.providers import frames


def parse(usage: str = "openai") -> Generator[list[Piece], bytes, None]:
    """Read the stream of a server that counts tokens by the convention `usage`."""
    return frames.parse(lambda body: _read(body, usage))


def _read(body: frames.Body, usage: str) -> Iterator[Piece]:
    if body.get("error"):
        yield frames.told_error(body["error"])
        return
    for choice in body.get("choices") or ():
        delta = choice.get("delta") or {}
        thought = delta.get("reasoning_content") or delta.get("reasoning")
        if thought:
            yield Thought(frames.text_of(thought))
        if delta.get("content"):
            yield Text(frames.text_of(delta["content"]))
        if choice.get("finish_reason"):
            yield Finish(frames.text_of(choice["finish_reason"])[:24])
    if body.get("usage"):
        yield token_counts.read(usage, body["usage"]) or Muddle()
