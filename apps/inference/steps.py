"""Database work for code on an event loop: a rule runs on a thread and gives its connection back afterwards."""

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from django.db import connections

P = ParamSpec("P")
R = TypeVar("R")


async def call(rule: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run a rule on the loop's thread pool, whose size bounds how many connections the process uses for this."""

    def act() -> R:
        try:
            return rule(*args, **kwargs)
        finally:
            connections.close_all()

    return await asyncio.to_thread(act)
