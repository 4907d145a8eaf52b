"""Which server is asked, in which order, how often and after which wait. Pure.

Servers share the prompts of a model by their weights. Prompts with the same beginning (`Prompt.affinity`) go to one
server, whose cache holds that beginning: weighted rendezvous hashing, so that a server that comes or goes moves its own
share alone. Only before the first token is another one tried, within a small budget.
"""

import hashlib
import math
import random
from collections import Counter
from collections.abc import Iterable, Sequence

from apps.inference.calls import CallError, Server

TRIES = 3
FIRST_TOKEN_BUDGET_S = 90.0  # no further try begins after that
SHORTEST_WAIT_S, LONGEST_WAIT_S = 0.1, 2.0
RESERVE = 50.0  # further tries a process may make at once
EARNED = 0.2  # of a further try, by each call: in the long run one of five is tried again
HASHES = 2**64


class RetryBudget:
    """How many further tries a process may make: when everything fails, trying again would only add to the load."""

    def __init__(self) -> None:
        self._left = RESERVE

    def earn(self) -> None:
        """Count a call."""
        self._left = min(RESERVE, self._left + EARNED)

    def spend(self) -> bool:
        """Take a further try; False when there is none."""
        if self._left < 1:
            return False
        self._left -= 1
        return True


def in_order(servers: Iterable[Server], affinity: str) -> tuple[Server, ...]:
    """The servers as one prompt should ask them: the first by weight and affinity, those of weight 0 last."""
    return tuple(sorted(servers, key=lambda server: _share(server, affinity), reverse=True))


def after_failures(servers: Sequence[Server], failures: Counter[str]) -> tuple[Server, ...]:
    """The same, those that failed this prompt less often first."""
    return tuple(sorted(servers, key=lambda server: failures[server.key]))


def wait_s(error: CallError, *, failed: Server, following: Server, number: int) -> float | None:
    """Seconds before the next try: none for another server, a growing, jittered wait for the same one.

    None says that it is not worth it: the server asks for more patience than we have.
    """
    if failed.key != following.key:
        return 0.0
    if error.retry_after_s is not None and error.retry_after_s > LONGEST_WAIT_S:
        return None
    jittered: float = SHORTEST_WAIT_S * 2**number * random.uniform(1, 2)  # noqa: S311 spreads load, keeps no secret
    return min(LONGEST_WAIT_S, max(jittered, error.retry_after_s or 0.0))


def _share(server: Server, affinity: str) -> tuple[bool, float]:
    """A number that is the largest for each server as often as its weight says: Thaler and Ravishankar, 1998."""
    if affinity:
        digest = hashlib.blake2b(f"{server.key}\n{affinity}".encode(), digest_size=8).digest()
        luck = (int.from_bytes(digest) + 0.5) / HASHES
    else:
        luck = random.random() or 1 / HASHES  # noqa: S311 spreads load, keeps no secret
    return server.weight > 0, max(server.weight, 1) / -math.log(min(luck, 1 - 2**-53))
