"""A job is a nudge: sent after the commit, by name, with ids only. What matters is also a row that a sweeper finds."""

import structlog
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

log = structlog.get_logger(__name__)


def enqueue(job: str, *args: str, queue: str | None = None) -> None:
    """Ask a worker to do `job` once the surrounding transaction is committed.

    args    ids as text; a job reads its facts from the database.
    Effect  a lost nudge (the broker is away) costs time and a log line, nothing else: a sweeper will find the row.
    """
    transaction.on_commit(lambda: _send(job, args, queue))


def _send(job: str, args: tuple[str, ...], queue: str | None) -> None:
    try:
        current_app.send_task(job, args=args, queue=queue, retry=False)
    except OperationalError as error:
        log.warning("job.not_sent", job=job, reason=type(error).__name__)
