"""Which queue a worker asks first. Whoever pays more waits less, and nobody waits for ever."""

from collections.abc import Iterable
from itertools import chain

# Of every ten answers, when more are wanted than there are places: six premium, three free, one batch. A full
# premium queue moves twice as fast as a full free one, which still moves. A queue that is not named here has one turn.
TURNS = {"runs.premium": 6, "runs.free": 3, "runs.batch": 1}


class Turns:
    """The order of a worker's queues, as kombu's `queue_order_strategy` wants it: each has so many turns of a round.

    Who has the turn is asked first, then who has the next one, and so on. The turns of a queue that was found empty are
    skipped: they are shared by the others in the same proportion, and are not saved up for later.
    """

    def __init__(self, queues: Iterable[str] = ()) -> None:
        self._round: list[str] = []
        self._next = 0
        self.update(queues)

    def update(self, queues: Iterable[str]) -> None:
        """Begin a round among these queues; each one's turns are spread evenly over it."""
        turns = ((((n + 0.5) / weight), -weight, queue) for queue, weight in _weighed(queues) for n in range(weight))
        self._round = [queue for _moment, _precedence, queue in sorted(turns)]
        self._next = 0

    def consume(self, n: int) -> list[str]:
        """Give the first `n` queues in the order in which to ask them; asking takes no turn."""
        coming = chain(self._round[self._next :], self._round[: self._next])
        return list(dict.fromkeys(coming))[:n]

    def rotate(self, last_used: str) -> str:
        """Take the turn of the queue that gave a message, and skip those before it: they had nothing."""
        for distance in range(len(self._round)):
            turn = (self._next + distance) % len(self._round)
            if self._round[turn] == last_used:
                self._next = (turn + 1) % len(self._round)
                break
        return last_used


def _weighed(queues: Iterable[str]) -> Iterable[tuple[str, int]]:
    return ((queue, TURNS.get(queue, 1)) for queue in queues)
