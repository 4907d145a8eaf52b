"""What operations see of the engine, for Prometheus."""

from prometheus_client import Counter, Gauge, Histogram

from apps.inference.models import Run

SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)

active = Gauge("causerie_answers_active", "Answers being made in this process")
refusals = Counter("causerie_refusals_total", "Runs that ended without a model call, by code", ["code"])
relay_full = Counter("causerie_relay_full_total", "Events for which Valkey had no room in a run's log")
ended = Counter("causerie_answers_total", "Answers that ended, by state and back end", ["state", "backend"])
queue_wait = Histogram("causerie_queue_wait_seconds", "From its place in line to claimed", buckets=SECONDS)
first_token = Histogram("causerie_first_token_seconds", "From wanted to the first token", buckets=SECONDS)


def observe(run: Run) -> None:
    """Count an answer that has ended."""
    ended.labels(state=run.state, backend=run.backend).inc()
    if run.started_at is not None and run.in_line_since is not None:
        # A lost worker's run came into line again after it had started: its first wait is not known any more.
        queue_wait.observe(max(0.0, (run.started_at - run.in_line_since).total_seconds()))
    if run.first_token_at is not None:
        first_token.observe((run.first_token_at - run.created_at).total_seconds())
