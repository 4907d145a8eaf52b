"""Where a transaction must, or must not, be open: a mistake fails in every test, not once under load."""

from django.db import connection


def inside_transaction() -> None:
    """A step changes rows as part of its caller's act; without one, half of it could stay.

    Raises  RuntimeError: no transaction is open. (The one a test wraps around itself does not count.)
    """
    if not _open_transactions():
        raise RuntimeError("This step needs the transaction of an act around it.")


def outside_transaction() -> None:
    """The network may take seconds; a transaction held meanwhile blocks others.

    Raises  RuntimeError: a transaction is open. (The one a test wraps around itself does not count.)
    """
    if _open_transactions():
        raise RuntimeError("No network inside a transaction: store what is wanted, and do it after the commit.")


def _open_transactions() -> int:
    blocks = connection.atomic_blocks if connection.in_atomic_block else []
    return sum(1 for block in blocks if not getattr(block, "_from_testcase", False))
