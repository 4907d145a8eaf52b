"""Real time: the only place of the sandbox that reads it. Customers may live on a test clock instead (`clocks`)."""

import time
from datetime import UTC, datetime


def now() -> int:
    """This instant in whole seconds since 1970, as Stripe counts."""
    return int(time.time())


def precise_now() -> float:
    """This instant in seconds since 1970, for deliveries that are fractions of a second apart."""
    return time.time()


def pause(seconds: float) -> None:
    """Wait: only faults that hang use it."""
    time.sleep(seconds)


def as_date(moment: int) -> datetime:
    """Turn seconds into an aware datetime in UTC."""
    return datetime.fromtimestamp(moment, UTC)
