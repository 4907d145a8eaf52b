"""What happens in one go is one transaction: workers and sweepers of the running product never see half of it."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def whole() -> Iterator[None]:
    """Make everything inside visible at once, or nothing of it.

    Django's own transactions inside become parts of this one (ADR 16). Their nudges go to nobody: what they ask workers
    to do is done when this ends.
    """
    transaction.set_autocommit(False)
    try:
        yield
        transaction.commit()
    except BaseException:
        transaction.rollback()
        raise
    finally:
        connection.run_on_commit.clear()
        transaction.set_autocommit(True)


def make_safe() -> None:
    """Wait until the disk has what was committed so far: commits before this one did not wait for it."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit TO on")
        cursor.execute("SELECT pg_current_xact_id()")  # a transaction that changed nothing would not be written


def hurry() -> None:
    """Let this connection's commits not wait for the disk: `make_safe` does, once a day."""
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit TO off")


def take_time() -> None:
    """Let commits wait for the disk again."""
    with connection.cursor() as cursor:
        cursor.execute("RESET synchronous_commit")
