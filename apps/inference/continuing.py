"""An answer whose worker was lost: what it had written, and how another call goes on with it."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import redis
import structlog

from apps.inference import tokenizer
from apps.inference.calls import Prompt, Server
from apps.inference.claims import Claim
from apps.inference.events import Delta, Reasoning, Restarted, Snapshot
from apps.inference.publishing import Publisher
from apps.inference.relay import Entry

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Begun:
    """What an answer was when its worker was lost; `tokens` of the text, by our own count. Empty: a first attempt."""

    text: str = ""
    reasoning: str = ""
    tokens: int = 0

    def __bool__(self) -> bool:
        return bool(self.text or self.reasoning)

    def may_go_on(self, server: Server) -> bool:
        """Whether a server can write on from here. Thinking alone is begun anew: no server takes up a thought."""
        return bool(self.text and server.continues)


NOTHING = Begun()


async def recall(publisher: Publisher, claim: Claim) -> Begun:
    """Find what earlier attempts wrote: what their followers read, or the checkpoint of the row where that is more.

    Space at the end is left out: servers refuse, or repeat it.
    """
    run = claim.run
    if run.attempts <= 1:
        return NOTHING
    text, reasoning = run.text, run.reasoning
    try:
        told_text, told_reasoning = fold(await publisher.read(run.pk))
    except (redis.RedisError, OSError, TimeoutError) as error:
        log.warning("relay.not_recalled", reason=type(error).__name__)
    else:
        text, reasoning = max(text, told_text, key=len), max(reasoning, told_reasoning, key=len)
    text = text.rstrip()
    (tokens,) = await asyncio.to_thread(tokenizer.count, [text], claim.model.tokenizer)
    return Begun(text, reasoning, tokens)


def fold(entries: Iterable[Entry]) -> tuple[str, str]:
    """Text and thinking as a follower of these events has them before them."""
    text = reasoning = ""
    for entry in entries:
        match entry.kind:
            case Delta.kind:
                text += entry.data["text"]
            case Reasoning.kind:
                reasoning += entry.data["text"]
            case Snapshot.kind:
                text, reasoning = entry.data["text"], entry.data["reasoning"]
            case Restarted.kind:
                text = reasoning = ""
    return text, reasoning


def in_order(servers: Sequence[Server], begun: Begun) -> tuple[Server, ...]:
    """The servers as they are to be tried: those that can go on with what was begun come first."""
    return tuple(sorted(servers, key=lambda server: not begun.may_go_on(server))) if begun else tuple(servers)


def prompt_for(server: Server, prompt: Prompt, begun: Begun) -> Prompt:
    """What to ask a server: the rest of what was begun, where it can go on; else all of it."""
    if not begun.may_go_on(server):
        return prompt
    return replace(prompt, begun=begun.text, max_output_tokens=max(1, prompt.max_output_tokens - begun.tokens))
