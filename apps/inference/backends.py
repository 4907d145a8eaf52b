"""What we know of each server: whether it answered lately, and whether staff took it out."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from apps.inference.calls import CallError, Server
from apps.inference.models import Backend

REST = timedelta(seconds=15)  # a server that failed so recently is asked last


def candidates(servers: Iterable[Server], *, now: datetime) -> tuple[Server, ...]:
    """Those that are not drained: first the healthy ones in the catalogue's order, then those that failed lately."""
    servers = tuple(servers)
    known = {row.key: row for row in Backend.objects.filter(key__in=[server.key for server in servers])}
    usable = [server for server in servers if not (server.key in known and known[server.key].is_drained)]
    return tuple(sorted(usable, key=lambda server: _is_resting(known.get(server.key), now=now)))


def note_ok(key: str, *, now: datetime) -> None:
    """Remember that a server answered."""
    Backend.objects.update_or_create(key=key, defaults={"last_ok_at": now})


def note_failure(key: str, error: CallError, *, now: datetime) -> None:
    """Remember that a server failed, and how."""
    Backend.objects.update_or_create(key=key, defaults={"last_failed_at": now, "last_error": str(error)[:120]})


def _is_resting(row: Backend | None, *, now: datetime) -> bool:
    if row is None or row.last_failed_at is None or row.last_failed_at + REST < now:
        return False
    return row.last_ok_at is None or row.last_ok_at < row.last_failed_at
