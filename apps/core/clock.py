"""The only place that reads the time. Edges call it once and hand `now` down."""

from datetime import UTC, datetime


def now() -> datetime:
    """This instant, aware, in UTC."""
    return datetime.now(UTC)
