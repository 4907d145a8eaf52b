"""Visits to the hosted checkout."""

from dataclasses import dataclass

from apps.billing.stripe_facts.raw import Raw


@dataclass(frozen=True)
class Session:
    """One visit to the hosted checkout."""

    id: str
    status: str  # open, complete, expired
    url: str  # a bearer credential; empty once it is not open


def read_session(raw: Raw) -> Session:
    """Read a checkout session."""
    return Session(raw["id"], raw.get("status") or "", raw.get("url") or "")
