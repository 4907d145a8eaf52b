"""Turns answers and process counters into the figures of docs/performance.md."""

from dataclasses import dataclass

import psutil

from tests.bench.load import Answer

HEAD = """| | answers | complete | first token p50 | p99 | lag p50 | lag p99 | speed | CPU-s per 1M tokens |
|---|---|---|---|---|---|---|---|---|"""


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


@dataclass(frozen=True)
class Figures:
    """Of one round. Times in ms; CPU in seconds per million tokens; speed as a share of the back end's own pace."""

    answers: int
    complete: int
    first_token_p50_ms: float
    first_token_p99_ms: float
    lag_p50_ms: float
    lag_p99_ms: float
    speed: float
    cpu_s_per_million: float

    def row(self, label: str) -> str:
        times = (self.first_token_p50_ms, self.first_token_p99_ms, self.lag_p50_ms, self.lag_p99_ms)
        cells = [label, self.answers, self.complete, *(f"{time:.1f} ms" for time in times)]
        cells += [f"{self.speed:.1%}", f"{self.cpu_s_per_million:.0f}"]
        return f"| {' | '.join(str(cell) for cell in cells)} |"


def figures_of(answers: list[Answer], *, tokens: int, per_second: float, cpu_s: float) -> Figures:
    whole = [answer for answer in answers if answer.end == "run.finished" and len(answer.lags_us) == tokens]
    lags = [lag / 1000 for answer in whole for lag in answer.lags_us] or [float("inf")]
    firsts = [answer.first_token_added_ms for answer in whole] or [float("inf")]
    took = [(answer.ended_us - answer.first_token_us) / 1e6 for answer in whole] or [float("inf")]
    return Figures(
        answers=len(answers),
        complete=len(whole),
        first_token_p50_ms=percentile(firsts, 0.5),
        first_token_p99_ms=percentile(firsts, 0.99),
        lag_p50_ms=percentile(lags, 0.5),
        lag_p99_ms=percentile(lags, 0.99),
        speed=(tokens / per_second) / (sum(took) / len(took)),
        cpu_s_per_million=cpu_s / max(1, len(whole) * tokens) * 1e6,
    )


def cpu_seconds(processes: list[psutil.Process]) -> float:
    """User and system time of these processes and all below them."""
    total = 0.0
    for process in processes:
        for one in [process, *process.children(recursive=True)]:
            times = one.cpu_times()
            total += times.user + times.system
    return total


def memory_mb(process: psutil.Process) -> float:
    """Proportional share of memory (PSS) of a process and all below it, in MB."""
    family = [process, *process.children(recursive=True)]
    return sum(one.memory_full_info().pss for one in family) / 1e6
