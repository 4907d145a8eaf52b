"""Visits to the hosted checkout, and codes that make it cheaper."""

from dataclasses import dataclass
from datetime import datetime

from apps.billing.stripe_facts.raw import Raw, id_of, moment


@dataclass(frozen=True)
class Session:
    """One visit to the hosted checkout."""

    id: str
    status: str  # open, complete, expired
    url: str  # a bearer credential; empty once it is not open


@dataclass(frozen=True)
class Promotion:
    """What stands behind a code. `customer`: the only one who may use it; empty: everybody."""

    id: str
    code: str
    customer: str
    is_valid: bool
    currency: str  # of an amount off; empty for a share
    is_for_newcomers: bool
    ends_at: datetime | None


def read_promotion(raw: Raw) -> Promotion:
    """Read a promotion code whose coupon is expanded."""
    coupon = (raw.get("promotion") or {}).get("coupon")
    known = coupon if isinstance(coupon, dict) else {}
    return Promotion(
        id=raw["id"],
        code=raw["code"],
        customer=id_of(raw.get("customer")),
        is_valid=bool(raw["active"]) and bool(known.get("valid", True)),
        currency=(known.get("currency") or "").lower(),
        is_for_newcomers=bool((raw.get("restrictions") or {}).get("first_time_transaction")),
        ends_at=moment(raw.get("expires_at")),
    )


def read_session(raw: Raw) -> Session:
    """Read a checkout session."""
    return Session(raw["id"], raw.get("status") or "", raw.get("url") or "")
