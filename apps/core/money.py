"""Integer money. Stripe's amounts are minor units (cents); usage and MRR are micro-units (10⁻⁶ of the currency)."""

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from django.utils import formats

MICRO = 1_000_000
MICRO_PER_MINOR = 10_000
CENT = Decimal("0.01")


def micro_from_minor(minor: int) -> int:
    """Cents to micro-units, exactly. Both currencies in use have two decimals."""
    return minor * MICRO_PER_MINOR


def decimal_from_micro(micro: int) -> Decimal:
    """Major units with two decimals, rounded half up: for showing, never for storing."""
    return (Decimal(micro) / MICRO).quantize(CENT, rounding=ROUND_HALF_UP)


def in_words(micro: int, currency: str) -> str:
    """An amount with its currency and two decimals; one too small to show says so instead of looking like nothing."""
    unit, shown = currency.upper(), decimal_from_micro(abs(micro))
    if micro and not shown:
        return f"{'< ' if micro > 0 else '> −'}{unit} {formats.number_format(CENT, 2)}"
    return f"{'−' if micro < 0 else ''}{unit} {formats.number_format(shown, 2, force_grouping=True)}"


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
