"""What all workers know of each server: whether it answers, how long it rests, and whether staff took it out.

A server that fails several calls in a row rests: nobody asks it. When the rest is over, one run tries it for all; if it
answers, it is back. Whether it is up is also asked without any run (`probes`), so that a rest may end, or begin, early.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Case, F, Q, When

from apps.accounts import audit
from apps.accounts.models import User
from apps.core import guards, rows
from apps.inference.calls import CallError, Server
from apps.inference.models import Backend

TOLERATED = 5  # failures in a row; the last of them begins a rest
REST = timedelta(seconds=10)
LONGEST_REST = timedelta(seconds=60)  # whatever a server asks for with Retry-After
# What says nothing of the server as a whole: the request was bad, or it has not this one model.
HARMLESS = frozenset({"refused", "missing"})
KNOWN = "SELECT {columns} FROM inference_backend WHERE key = ANY(%s)"
COUNT_TROUBLE = """
INSERT INTO inference_backendtrouble (backend, starts_at, reason, calls)
VALUES (%s, date_trunc('minute', %s::timestamptz), %s, 1)
    ON CONFLICT (backend, starts_at, reason) DO UPDATE SET calls = inference_backendtrouble.calls + 1
"""


def candidates(servers: Iterable[Server], *, now: datetime) -> tuple[Server, ...]:
    """Those that may be asked now, in the order given: not drained, and not resting.

    Of a rest that is over, one caller makes the trial: one that would ask this server first, so that no trial is taken
    and then not made.
    Effect  a step: who makes the trial makes the others wait for its outcome.
    """
    guards.inside_transaction()
    servers, found = tuple(servers), list[Server]()
    known = {row.key: row for row in rows.read(Backend, KNOWN, [[server.key for server in servers]])}
    for server in servers:
        row = known.get(server.key)
        if row is None or _is_well(row, now=now) or (not found and _take_trial(row, now=now)):
            found.append(server)
    return tuple(found)


def note_ok(key: str, *, now: datetime) -> None:
    """Remember that a server answers: it is back."""
    Backend.objects.update_or_create(key=key, defaults={"last_ok_at": now, "failures_in_row": 0, "rests_until": None})


def note_failure(key: str, error: CallError, *, now: datetime) -> None:
    """Remember that a server failed, and how; let it rest when it does so again and again, or asks for it."""
    Backend.objects.get_or_create(key=key)
    row, facts = Backend.objects.filter(key=key), {"last_failed_at": now, "last_error": str(error)[:120]}
    if error.reason in HARMLESS:
        row.update(**facts)
    elif error.retry_after_s is not None:
        row.update(**facts, rests_until=now + min(timedelta(seconds=error.retry_after_s), LONGEST_REST))
    else:
        row.update(**facts, failures_in_row=F("failures_in_row") + 1, rests_until=_rest(now))
    with connection.cursor() as cursor:
        cursor.execute(COUNT_TROUBLE, [key, now, error.reason])


def note_probe(key: str, error: CallError | None, took_ms: int, *, now: datetime) -> None:
    """Remember what a server said when it was asked whether it is up.

    One that is up again is tried by the next run; whether it also answers, only that can tell. One that does not even
    say that it is up is counted like a call that failed.
    """
    Backend.objects.update_or_create(key=key, defaults={"last_probe_at": now, "probe_ms": None if error else took_ms})
    if error is None:
        Backend.objects.filter(key=key, failures_in_row__gte=TOLERATED, rests_until__gt=now).update(rests_until=now)
    else:
        note_failure(key, error, now=now)


def drain(key: str, *, by: User, now: datetime) -> None:
    """Send no more runs to a server; those it is answering go on to their end. A step, written down."""
    _set_drained(key, is_drained=True, by=by, now=now)


def resume(key: str, *, by: User, now: datetime) -> None:
    """Send runs to it again, at once. A step, written down."""
    _set_drained(key, is_drained=False, by=by, now=now)


def _set_drained(key: str, *, is_drained: bool, by: User, now: datetime) -> None:
    guards.inside_transaction()
    facts = {"is_drained": is_drained} | ({} if is_drained else {"failures_in_row": 0, "rests_until": None})
    Backend.objects.update_or_create(key=key, defaults=facts)
    audit.record(by, "backend.drained" if is_drained else "backend.resumed", details={"backend": key}, now=now)


def _is_well(row: Backend, *, now: datetime) -> bool:
    has_rested = row.rests_until is None or (row.rests_until <= now and row.failures_in_row < TOLERATED)
    return has_rested and not row.is_drained


def _take_trial(row: Backend, *, now: datetime) -> bool:
    if row.is_drained or row.rests_until is None or row.rests_until > now:
        return False
    return bool(Backend.objects.filter(pk=row.pk, rests_until=row.rests_until).update(rests_until=now + REST))


def _rest(now: datetime) -> Case:
    is_too_much = Q(failures_in_row__gte=TOLERATED - 1)
    return Case(When(is_too_much, then=now + REST), default=F("rests_until"))
