"""What a coupon takes off, in whole minor units, and whether it may still be redeemed. Pure."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

from apps.stripe_sandbox import proration
from apps.stripe_sandbox.documents import Document


def reduction(coupon: Document, total: int) -> int:
    """Say how much a coupon takes off a total: never more than that; half a cent goes to the buyer."""
    if coupon["amount_off"] is not None:
        return min(int(coupon["amount_off"]), max(total, 0))
    percent = Decimal(str(coupon["percent_off"]))
    return int((max(total, 0) * percent / 100).quantize(Decimal(1), ROUND_HALF_UP))


def shares(coupon: Document, amounts: Sequence[int]) -> list[int]:
    """Share what a coupon takes off over lines; a line that it does not apply to is given as 0."""
    return proration.split_discount(reduction(coupon, sum(amounts)), amounts)


def applies_to(coupon: Document, product: str) -> bool:
    """Say whether a coupon reduces this product."""
    only = coupon.get("_applies_to")
    return not only or product in only


def is_valid(coupon: Document, *, now: int) -> bool:
    """Say whether a coupon can be redeemed at this moment."""
    most, until = coupon["max_redemptions"], coupon["redeem_by"]
    has_place = most is None or coupon["times_redeemed"] < most
    return bool(not coupon.get("_deleted") and has_place and (until is None or now < until))
