"""Integer money. Stripe's amounts are minor units (cents); usage and MRR are micro-units (10⁻⁶ of the currency)."""

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

MICRO = 1_000_000
MICRO_PER_MINOR = 10_000


def micro_from_minor(minor: int) -> int:
    """Cents to micro-units, exactly. Both currencies in use have two decimals."""
    return minor * MICRO_PER_MINOR


def decimal_from_micro(micro: int) -> Decimal:
    """Major units with two decimals, rounded half up: for showing, never for storing."""
    return (Decimal(micro) / MICRO).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)


def micro_from_text(text: str) -> int:
    """Read what a person writes for an amount: “5”, “5.00”, “5,50”. Micro-units, exactly.

    Raises  ValueError: that is no amount, below nothing, or finer than a micro-unit.
    """
    try:
        amount = Decimal(text.strip().replace(",", ".")) * MICRO
    except InvalidOperation:
        raise ValueError(text) from None
    if not amount.is_finite() or amount < 0 or amount != amount.to_integral_value():
        raise ValueError(text)
    return int(amount)
