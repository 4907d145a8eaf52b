"""One call of a model: what goes in, the pieces that come out, and how it can go wrong."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


@dataclass(frozen=True)
class Prompt:
    """What a run asks: messages as OpenAI shapes them, the longest answer, and further options (temperature, …).

    begun     the beginning of the answer, from which the server goes on; only for one that can (`Server.continues`).
    affinity  what has the same beginning: prompts that share it go to the same server, whose cache knows it already.
    """

    messages: tuple[Mapping[str, object], ...]
    max_output_tokens: int
    options: Mapping[str, object] = field(default_factory=dict)
    begun: str = ""
    affinity: str = ""

    @property
    def turns(self) -> tuple[Mapping[str, object], ...]:
        """The messages, and last the answer that was begun."""
        return (*self.messages, {"role": "assistant", "content": self.begun}) if self.begun else self.messages


class Spent(NamedTuple):
    """Tokens of one answer, counted alike whatever the back end: `token_counts` reads each one's own way.

    input_tokens    all of the prompt; cached (read from a cache), written to a cache and image tokens are parts of it.
    output_tokens   all that was written; reasoning is part of it.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cached_input_tokens: int = 0
    cache_write_tokens: int = 0
    image_input_tokens: int = 0
    reasoning_tokens: int = 0


@dataclass(frozen=True)
class Completion:
    """What a run ended with; `state` is succeeded, stopped or failed, `error_code` says why it failed.

    spent   as reported. Where `provenance` is estimated, settling counts what is missing: the output, and the input
            unless the back end told it before it was interrupted.
    """

    state: str
    text: str
    reasoning: str
    finish_reason: str
    error_code: str
    spent: Spent
    provenance: str


@dataclass(frozen=True)
class Server:
    """A back end of the catalogue with its address and key; `model_name` is what the model is called there.

    usage            how it counts tokens, as `token_counts` names it.
    continues        how it goes on with an answer that another call began, as the catalogue names it; empty: it cannot.
    weight           its share of the prompts beside other servers of the model; 0: only when no other can.
    max_concurrency  answers it may be writing at once, for all workers together; 0: as many as come.
    probe            the path that tells whether it is up; empty: nobody asks.
    """

    key: str
    provider: str
    base_url: str
    api_key: str = field(repr=False)
    model_name: str
    limit_parameter: str = "max_tokens"
    usage: str = "openai"
    continues: str = ""
    weight: int = 1
    max_concurrency: int = 0
    probe: str = ""


class Text(NamedTuple):
    """A piece of the answer."""

    text: str


class Thought(NamedTuple):
    """A piece of the model's thinking."""

    text: str


class Muddle(NamedTuple):
    """A report of tokens that makes no sense: what came before it is not believed either."""


class Finish(NamedTuple):
    """Why the model ended: stop, length and the like."""

    reason: str


class Done(NamedTuple):
    """The protocol's last word."""


class Broken(NamedTuple):
    """The stream went wrong here; `reason` as in `CallError`."""

    reason: str
    detail: str


Piece = Text | Thought | Spent | Muddle | Finish | Done | Broken

# Whether another server, or the same one a little later, may do better.
ELSEWHERE = frozenset(
    {"unreachable", "timed_out", "overloaded", "server_error", "unauthorised", "missing", "broken", "cut_off"}
)


class CallError(Exception):
    """A call did not work.

    reason         unreachable, timed_out, overloaded (429), server_error (5xx), unauthorised (401, 403: our key),
                   missing (404: this model), refused (other 4xx: the request), broken (not the protocol), cut_off
                   (ended too early).
    retry_after_s  what the server asked for, None when it said nothing.
    """

    def __init__(self, reason: str, detail: str = "", *, retry_after_s: float | None = None) -> None:
        super().__init__(f"{reason} {detail}".strip())
        self.reason, self.detail, self.retry_after_s = reason, detail, retry_after_s

    @property
    def may_work_elsewhere(self) -> bool:
        """Whether a further try makes sense."""
        return self.reason in ELSEWHERE
