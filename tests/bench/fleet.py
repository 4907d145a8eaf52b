"""What breaks first as the fleet grows: a simulation by events, `uv run python -m tests.bench.fleet`.

Answers arrive at random and stream at a steady pace. Each takes its turn at the web cores, at the worker cores, at one
Postgres and at one Valkey; what each costs there was measured (docs/capacity.md). A fleet is simulated as a slice that
one machine can follow: its shared parts are as fast as their share of the slice. The run says how busy each part is,
and how long an answer waits before its first token.
"""

import argparse
import random
import statistics
from dataclasses import dataclass, field

import simpy

# Measured on one core of the machine of docs/performance.md, in seconds of that core.
WEB_QUESTION_S = 0.012
WORKER_QUESTION_S = 0.007
TOKEN_S = 0.00009  # web and worker together, all answers of a moment sharing their messages
POSTGRES_ANSWER_S = 0.0065
VALKEY_ENTRY_S = 0.0000076
# What an answer is.
TOKENS = 400
TOKENS_A_SECOND = 40
ENTRIES_A_SECOND = 16  # pieces are gathered for 60 ms when many are open
# What a fleet is made of.
STREAMS_AN_ACCELERATOR = 50
POSTGRES_CORES = 32
SLICE_STREAMS = 1000
LOAD = 0.8  # of the accelerators
SECONDS, WARMING_S = 60, 20
FLEETS = (1, 10, 100, 1_000, 10_000, 100_000)


@dataclass(frozen=True)
class Fleet:
    """So many accelerators, and how many primaries of Postgres and servers of Valkey they share."""

    accelerators: int
    postgres: int = 1
    valkey: int = 1

    @property
    def streams(self) -> float:
        return self.accelerators * STREAMS_AN_ACCELERATOR * LOAD

    @property
    def share(self) -> float:
        """How much of the fleet is simulated."""
        return min(1.0, SLICE_STREAMS / self.streams)


@dataclass
class Part:
    """Cores that serve one request at a time each; `speed` scales what a request takes."""

    env: simpy.Environment
    cores: int
    speed: float
    busy_s: float = 0.0
    queue: simpy.Resource = field(init=False)

    def __post_init__(self) -> None:
        self.queue = simpy.Resource(self.env, self.cores)

    def serve(self, seconds: float):
        with self.queue.request() as turn:
            yield turn
            took = random.expovariate(1 / seconds) * self.speed
            yield self.env.timeout(took)
            self.busy_s += took

    @property
    def load(self) -> float:
        return self.busy_s / self.env.now / self.cores


class Simulation:
    """One slice of one fleet."""

    def __init__(self, fleet: Fleet) -> None:
        self.env, self.fleet = simpy.Environment(), fleet
        streams = fleet.streams * fleet.share
        self.rate = streams * TOKENS_A_SECOND / TOKENS
        token_cores = streams * TOKENS_A_SECOND * TOKEN_S
        cores = round(1.5 * (self.rate * (WEB_QUESTION_S + WORKER_QUESTION_S) + token_cores)) + 1  # two thirds busy
        self.host = Part(self.env, cores, 1.0)
        self.postgres = self._shared(POSTGRES_CORES * fleet.postgres)
        self.valkey = self._shared(fleet.valkey)
        self.waits: list[float] = []

    def _shared(self, cores: int) -> Part:
        """A part that the whole fleet shares: the slice has its share of the cores, or one that is slower."""
        mine = cores * self.fleet.share
        whole = max(1, int(mine))
        return Part(self.env, whole, whole / mine)

    def run(self) -> "Simulation":
        self.env.process(self._arrive())
        self.env.run(until=SECONDS)
        return self

    def _arrive(self):
        while True:
            yield self.env.timeout(random.expovariate(self.rate))
            self.env.process(self._answer())

    def _answer(self):
        asked = self.env.now
        yield from self.host.serve(WEB_QUESTION_S)
        yield from self.postgres.serve(POSTGRES_ANSWER_S * 0.6)
        yield from self.host.serve(WORKER_QUESTION_S)
        yield from self.valkey.serve(VALKEY_ENTRY_S)
        if asked > WARMING_S:
            self.waits.append(self.env.now - asked)
        for _ in range(TOKENS // TOKENS_A_SECOND):  # by the second: what is asked of the parts, not each piece
            yield self.env.timeout(1)
            yield from self.host.serve(TOKEN_S * TOKENS_A_SECOND)
            yield from self.valkey.serve(VALKEY_ENTRY_S * ENTRIES_A_SECOND)
        yield from self.postgres.serve(POSTGRES_ANSWER_S * 0.4)


def needed(accelerators: int) -> Fleet:
    """The fleet with as many shards as keep each three quarters busy at most."""
    streams = Fleet(accelerators).streams
    answers = streams * TOKENS_A_SECOND / TOKENS
    postgres = answers * POSTGRES_ANSWER_S / POSTGRES_CORES / 0.75
    valkey = streams * ENTRIES_A_SECOND * VALKEY_ENTRY_S / 0.75
    return Fleet(accelerators, postgres=max(1, -int(-postgres // 1)), valkey=max(1, -int(-valkey // 1)))


def row(fleet: Fleet) -> str:
    found = Simulation(fleet).run()
    cores = round(found.host.cores / fleet.share)
    waits = "never | never"  # nobody who came after the first seconds was answered
    if len(found.waits) > 1:
        quantiles = statistics.quantiles(found.waits, n=100)
        waits = f"{quantiles[49] * 1000:,.0f} ms | {quantiles[98] * 1000:,.0f} ms"
    parts = f"{fleet.postgres} | {found.postgres.load:.0%} | {fleet.valkey} | {found.valkey.load:.0%}"
    return f"| {fleet.accelerators:,} | {fleet.streams:,.0f} | {cores:,} | {parts} | {waits} |"


def main() -> None:
    options = argparse.ArgumentParser(description="What breaks first as the fleet grows.")
    options.add_argument("--seed", type=int, default=1)
    random.seed(options.parse_args().seed)
    head = (
        "| accelerators | answers at once | cores, web and workers | Postgres | busy | Valkey | busy | wait p50 | p99 |"
    )
    print(f"{head}\n|{'---|' * 9}")  # noqa: T201 its only output
    for shards in (Fleet, needed):
        print("\n".join(row(shards(count)) for count in FLEETS))  # noqa: T201 its only output


if __name__ == "__main__":
    main()
