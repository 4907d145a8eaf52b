"""How servers and queues stand, for staff: counted from the rows, never from what people wrote."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Count, F, Min, Q, Sum

from apps.billing import plans
from apps.inference import language_models, places
from apps.inference.backends import TOLERATED
from apps.inference.calls import Server
from apps.inference.models import Backend, BackendKey, BackendTrouble, Run
from apps.usage.models import UsageLedger

LONGEST_ANSWER = timedelta(minutes=15)  # whoever ended in a period was wanted at most so long before it
QUEUES = ("runs.premium", "runs.free", places.BATCH_QUEUE)
# First token: from claimed to the first piece. Speed: tokens after it, of all answers together.
ANSWERED = """
SELECT backend, COUNT(*), COUNT(*) FILTER (WHERE state = 'failed'),
       percentile_cont(0.5) WITHIN GROUP (ORDER BY first_token_at - started_at),
       percentile_cont(0.95) WITHIN GROUP (ORDER BY first_token_at - started_at),
       SUM(output_tokens) FILTER (WHERE first_token_at IS NOT NULL),
       SUM(ended_at - first_token_at)
  FROM inference_run
 WHERE created_at >= %(created_since)s AND ended_at >= %(since)s AND backend <> ''
 GROUP BY backend
"""


@dataclass(frozen=True)
class Answered:
    """What a server wrote in a period. Durations in milliseconds; None where nothing was written."""

    answers: int = 0
    failed: int = 0
    first_token_ms: int | None = None
    first_token_p95_ms: int | None = None
    tokens_a_second: float | None = None


@dataclass(frozen=True)
class BackendState:
    """One server.

    state     "up", "drained", "resting", "trial" (the next run tries it), or "unset" (no address, no key)
    open_now  answers it is writing
    trouble   reason → calls that failed, those that another server saved included
    cost      currency → micro-units
    """

    key: str
    state: str
    server: Server | None
    row: Backend
    open_now: int
    answered: Answered
    trouble: Mapping[str, int]
    cost: Mapping[str, int]
    entered: BackendKey | None
    models: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class QueueState:
    """One queue: who stands in it, who is held until an own answer ends, and since when the first waits."""

    name: str
    waiting: int
    held: int
    first_since: datetime | None


def read_backends(*, since: datetime, now: datetime) -> list[BackendState]:
    """Every back end of the catalogue, in its order; figures of answers that ended since then."""
    servers = {server.key: server for server in language_models.all_servers()}
    rows = {row.key: row for row in Backend.objects.all()}
    entered = {row.backend: row for row in BackendKey.objects.all()}
    answered, trouble, cost = _answered(since), _trouble(since), _cost(since)
    running = Run.objects.filter(state=Run.State.RUNNING).order_by().values_list("backend")
    open_now = dict(running.annotate(Count("pk")))
    catalogue = plans.catalogue()
    return [
        BackendState(
            key=key,
            state=_state(servers.get(key), rows.get(key), now=now),
            server=servers.get(key),
            row=rows.get(key) or Backend(key=key),
            open_now=open_now.get(key, 0),
            answered=answered.get(key, Answered()),
            trouble=trouble[key],
            cost=cost[key],
            entered=entered.get(key),
            models=tuple(raw["name"] for raw in catalogue.models.values() if key in raw["backends"]),
        )
        for key in catalogue.backends
    ]


def read_queues() -> list[QueueState]:
    """The queues of runs, the most urgent first."""
    queued = Run.objects.filter(state=Run.State.QUEUED).order_by().values_list("queue")
    counted = queued.annotate(
        waiting=Count("pk", filter=Q(in_line_since__isnull=False)),
        held=Count("pk", filter=Q(in_line_since=None)),
        first_since=Min("in_line_since"),
    )
    found = {row[0]: row for row in counted}
    return [QueueState(*found.get(name, (name, 0, 0, None))) for name in QUEUES]


def _state(server: Server | None, row: Backend | None, *, now: datetime) -> str:
    if server is None:
        return "unset"
    if row is None:
        return "up"
    if row.is_drained:
        return "drained"
    if row.rests_until is not None and row.rests_until > now:
        return "resting"
    return "trial" if row.failures_in_row >= TOLERATED else "up"


def _answered(since: datetime) -> dict[str, Answered]:
    with connection.cursor() as cursor:
        cursor.execute(ANSWERED, {"since": since, "created_since": since - LONGEST_ANSWER})
        return {backend: _read(*figures) for backend, *figures in cursor.fetchall()}


def _read(
    answers: int,
    failed: int,
    half: timedelta | None,
    most: timedelta | None,
    tokens: int | None,
    writing: timedelta | None,
) -> Answered:
    seconds = writing.total_seconds() if writing else 0
    speed = tokens / seconds if tokens and seconds else None
    return Answered(answers, failed, _ms(half), _ms(most), speed)


def _ms(duration: timedelta | None) -> int | None:
    return None if duration is None else round(duration / timedelta(milliseconds=1))


def _trouble(since: datetime) -> dict[str, dict[str, int]]:
    rows = BackendTrouble.objects.filter(starts_at__gte=since - timedelta(minutes=1))
    return _grouped(rows.order_by().values_list("backend", "reason").annotate(Sum("calls")))


def _cost(since: datetime) -> dict[str, dict[str, int]]:
    rows = UsageLedger.objects.filter(occurred_at__gte=since).exclude(backend="")
    return _grouped(rows.order_by().values_list("backend", F("cost_currency")).annotate(Sum("cost_micro")))


def _grouped(rows: Iterable[tuple[str, str, int]]) -> dict[str, dict[str, int]]:
    found: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for backend, what, amount in rows:
        found[backend][what] = amount
    return found
