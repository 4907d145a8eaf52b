"""Whether this process can serve: each thing it needs, asked for real."""

from collections.abc import Callable

import redis
from django.db import DEFAULT_DB_ALIAS, Error, connection
from django.db.migrations.executor import MigrationExecutor

from project import liveness

OK = "ok"
migrated: set[str] = set()  # databases whose tables were up to date once


def checks() -> dict[str, str]:
    """Check → "ok", or what is wrong in a few words. Never a secret, never an exception's text."""
    asked: dict[str, Callable[[], str]] = {
        "database": _database,
        "migrations": _migrations,
        "valkey": _valkey,
        "workers": _workers,
    }
    return {name: ask() for name, ask in asked.items()}


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return "does not answer"
    return OK


def _migrations() -> str:
    """Asked until it was true once: this process's code does not change any more."""
    if DEFAULT_DB_ALIAS not in migrated:
        try:
            executor = MigrationExecutor(connection)
            if executor.migration_plan(executor.loader.graph.leaf_nodes()):
                return "not applied"
        except Error:
            return "unknown"
        migrated.add(DEFAULT_DB_ALIAS)
    return OK


def _valkey() -> str:
    try:
        liveness.valkey().ping()
    except redis.RedisError:
        return "does not answer"
    return OK


def _workers() -> str:
    try:
        silent = liveness.silent_queues()
    except redis.RedisError:
        return "unknown"
    return f"no worker serves {', '.join(silent)}" if silent else OK
