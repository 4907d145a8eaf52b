"""Bytes of a response stream → pieces; see `frames`. Each frame tells its `type`; others are passed over."""

from collections.abc import Generator, Iterator, Mapping

from apps.inference import token_counts
from apps.inference.calls import Done, Finish, Muddle, Piece, Text, Thought
from apps.inference.providers import frames

WORDS = ("response.output_text.delta", "response.refusal.delta")
THOUGHTS = ("response.reasoning_summary_text.delta", "response.reasoning_text.delta")
REASONS = {"rate_limit_exceeded": "overloaded", "server_overloaded": "overloaded"}
ENDINGS = {"max_output_tokens": "length", "content_filter": "content_filter"}


def parse() -> Generator[list[Piece], bytes, None]:
    """Read the stream."""
    return frames.parse(_read)


def _read(body: frames.Body) -> Iterator[Piece]:
    kind = body["type"]
    if kind in WORDS:
        yield Text(frames.text_of(body["delta"]))
    elif kind in THOUGHTS:
        yield Thought(frames.text_of(body["delta"]))
    elif kind == "error":
        yield frames.told_error(body.get("error") or body, REASONS)
    elif kind == "response.failed":
        yield frames.told_error(body["response"].get("error"), REASONS)
    elif kind in ("response.completed", "response.incomplete"):
        yield from _end(body["response"])


def _end(response: Mapping[str, object]) -> Iterator[Piece]:
    details = response.get("incomplete_details")
    why = details.get("reason") if isinstance(details, Mapping) else None
    yield Finish(ENDINGS.get(str(why), "stop") if why is None or why in ENDINGS else frames.text_of(why)[:24])
    if response.get("usage"):
        yield token_counts.read("openai_responses", response["usage"]) or Muddle()
    yield Done()
