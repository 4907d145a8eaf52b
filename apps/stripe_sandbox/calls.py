"""What the current call is, for the events it causes."""

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True)
class Call:
    """The id of a request, and the key it came with."""

    request_id: str | None = None
    idempotency_key: str | None = None


NOBODYS = Call()
current: ContextVar[Call] = ContextVar("current", default=NOBODYS)
