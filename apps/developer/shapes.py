"""OpenAI's answers: a completion, the chunks of a stream, the list of models."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import gettext as _

from apps.developer.dialect import ChatRequest


@dataclass(frozen=True)
class End:
    """How an answer ended, and what it took."""

    finish_reason: str
    input_tokens: int
    output_tokens: int
    cached_input_tokens: int = 0
    reasoning_tokens: int = 0

    def usage(self) -> dict[str, object]:
        """As OpenAI counts: cached tokens are part of the prompt, reasoning is part of the completion."""
        return {
            "prompt_tokens": self.input_tokens,
            "completion_tokens": self.output_tokens,
            "total_tokens": self.input_tokens + self.output_tokens,
            "prompt_tokens_details": {"cached_tokens": self.cached_input_tokens},
            "completion_tokens_details": {"reasoning_tokens": self.reasoning_tokens},
        }


def completion(run_id: UUID, request: ChatRequest, created: int, text: str, end: End) -> dict[str, object]:
    """A whole answer."""
    message = {"role": "assistant", "content": text, "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": end.finish_reason}
    head = _head(run_id, "chat.completion", request, created)
    return {**head, "choices": [choice], "usage": end.usage()}


class Chunks:
    """The frames of one streamed answer, as objects."""

    def __init__(self, run_id: UUID, request: ChatRequest, created: int) -> None:
        self._head = _head(run_id, "chat.completion.chunk", request, created)
        self._has_usage = request.has_usage_chunk

    def role(self) -> dict[str, object]:
        """The first: who speaks."""
        return self._chunk({"role": "assistant", "content": "", "refusal": None})

    def text(self, text: str) -> dict[str, object]:
        """A piece of the answer."""
        return self._chunk({"content": text})

    def ending(self, end: End) -> list[dict[str, object]]:
        """The last: why it ended and, where it was asked for, what it took."""
        last = [self._chunk({}, finish_reason=end.finish_reason)]
        if self._has_usage:
            last.append({**self._head, "choices": [], "usage": end.usage()})
        return last

    def _chunk(self, delta: dict[str, object], *, finish_reason: str | None = None) -> dict[str, object]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        chunk = {**self._head, "choices": [choice]}
        return {**chunk, "usage": None} if self._has_usage else chunk


def models(rows: Iterable[tuple[str, int]]) -> dict[str, object]:
    """The list of models, from keys and the time each was made known."""
    return {"object": "list", "data": [model(key, created) for key, created in rows]}


def model(key: str, created: int) -> dict[str, object]:
    """One model."""
    return {"id": key, "object": "model", "created": created, "owned_by": "causerie"}


def _head(run_id: UUID, kind: str, request: ChatRequest, created: int) -> dict[str, object]:
    return {"id": f"chatcmpl-{run_id.hex}", "object": kind, "created": created, "model": request.model}


def wrong_method(allowed: str) -> dict[str, object]:
    """What is said to a request by another method."""
    message = _("This address takes %(method)s only.") % {"method": allowed}
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": "method_not_allowed"}
    return {"error": error}
