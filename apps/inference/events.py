"""What happens to a run, as its followers read it: one shape for each kind, told apart by `kind`.

Order    run.queued … · run.restarted or run.snapshot? · run.started · run.delta | run.reasoning | run.notice … ·
         exactly one terminal. Restarted, or a snapshot of what stays: where an earlier worker was lost.
Texts    deltas add to what came before; run.restarted empties it; run.snapshot replaces it.
"""

from dataclasses import dataclass
from typing import ClassVar

import orjson

PLACE, OWN_ANSWER = "place", "own_answer"


@dataclass(frozen=True, slots=True)
class Event:
    """What every kind has in common; never made by itself."""

    kind: ClassVar[str]

    def body(self) -> bytes:
        """Its JSON, without line breaks; orjson reads dataclasses itself, `asdict` took a fifth of a stream's CPU."""
        return orjson.dumps(self)


@dataclass(frozen=True, slots=True)
class Queued(Event):
    """Not begun yet; told again while it lasts, each time as it is by then.

    waits_for  "place": for a worker, at `position` in its queue, counted from 1;
               "own_answer": for other answers of the same account, of which `position` - 1 come first.
    """

    kind: ClassVar[str] = "run.queued"
    position: int
    waits_for: str = PLACE


@dataclass(frozen=True, slots=True)
class Restarted(Event):
    """The worker was lost, another begins anew: drop the text so far."""

    kind: ClassVar[str] = "run.restarted"


@dataclass(frozen=True, slots=True)
class Started(Event):
    """A back end began to answer."""

    kind: ClassVar[str] = "run.started"
    model: str
    backend: str


@dataclass(frozen=True, slots=True)
class Delta(Event):
    """A piece of the answer."""

    kind: ClassVar[str] = "run.delta"
    text: str


@dataclass(frozen=True, slots=True)
class Reasoning(Event):
    """A piece of the model's thinking."""

    kind: ClassVar[str] = "run.reasoning"
    text: str


@dataclass(frozen=True, slots=True)
class Notice(Event):
    """Something the person should know while the answer comes.

    fallback_model  `model` answers instead of `requested_model`, whose limit is used up until `resets_at`.
    limit_80, …_100 this answer reached so much of a limit: `used` of `limit`, in the unit of `meter`.
    """

    kind: ClassVar[str] = "run.notice"
    code: str
    model: str | None = None
    requested_model: str | None = None
    meter: str | None = None
    limit: int | None = None
    used: int | None = None
    resets_at: str | None = None


@dataclass(frozen=True, slots=True)
class Snapshot(Event):
    """All of the text so far, for who missed some of it."""

    kind: ClassVar[str] = "run.snapshot"
    text: str
    reasoning: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens; `provenance` says how we know: "reported", "estimated" or "none".

    Cached tokens are part of the input, reasoning is part of the output.
    """

    input_tokens: int
    output_tokens: int
    provenance: str
    cached_input_tokens: int = 0
    reasoning_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Finished(Event):
    """Terminal: the answer is complete, or as long as it may be (`finish_reason` "length")."""

    kind: ClassVar[str] = "run.finished"
    usage: Usage
    finish_reason: str


@dataclass(frozen=True, slots=True)
class Stopped(Event):
    """Terminal: the person stopped it."""

    kind: ClassVar[str] = "run.stopped"
    usage: Usage


@dataclass(frozen=True, slots=True)
class Failed(Event):
    """Terminal: refused, or broken. `retry` says whether trying again makes sense; the limit's facts when it is one."""

    kind: ClassVar[str] = "run.failed"
    code: str
    message: str
    retry: bool
    limit: int | None = None
    used: int | None = None
    resets_at: str | None = None
    lifted_by: str | None = None
    meter: str | None = None
    currency: str | None = None


TERMINAL = frozenset({Finished.kind, Stopped.kind, Failed.kind})
