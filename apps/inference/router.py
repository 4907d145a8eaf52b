"""Which server is tried, how often, and after which wait: only before the first token, within a small budget. Pure."""

import random
from collections.abc import Iterator, Sequence
from itertools import cycle, islice

from apps.inference.calls import CallError, Server

TRIES = 3
FIRST_TOKEN_BUDGET_S = 90.0  # no further try begins after that
SHORTEST_WAIT_S, LONGEST_WAIT_S = 0.1, 2.0


def tries(servers: Sequence[Server]) -> Iterator[Server]:
    """The servers in the order in which they are tried; a single one is tried again."""
    return islice(cycle(servers), TRIES)


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
