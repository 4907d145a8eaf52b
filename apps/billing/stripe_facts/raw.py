"""Pieces of Stripe's JSON that every object is made of."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

Raw = Mapping[str, Any]  # Any: JSON as Stripe sends it


def moment(seconds: object) -> datetime | None:
    """Stripe's integer seconds as an instant."""
    return datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, int) else None


def created_at(raw: Raw) -> datetime:
    """When an object was made."""
    return datetime.fromtimestamp(raw["created"], UTC)


def id_of(reference: object) -> str:
    """The id of something that is named, or expanded, or absent."""
    if isinstance(reference, dict):
        return str(reference["id"])
    return str(reference or "")
