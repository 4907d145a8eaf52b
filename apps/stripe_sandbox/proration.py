"""What changes hands when a subscription changes mid-period: exact fractions, each line floored by itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

MINIMUM_CHARGE = 50  # minor units: a smaller positive total is not charged, it waits in the customer's balance


@dataclass(frozen=True)
class Part:
    """One item of a subscription: what a unit costs in minor units, and how many."""

    unit_amount: int
    quantity: int = 1

    @property
    def amount(self) -> int:
        return self.unit_amount * self.quantity


@dataclass(frozen=True)
class Settlement:
    """How an invoice meets the customer's balance; all in minor units, a negative balance is credit."""

    starting_balance: int
    amount_due: int
    ending_balance: int


def fraction_left(start: int, end: int, moment: int) -> Fraction:
    """Say which part of a period is still to come."""
    if end <= start:
        return Fraction(0)
    return min(Fraction(1), max(Fraction(0), Fraction(end - moment, end - start)))


def debit(amount: int, left: Fraction) -> int:
    """Charge for the rest of a period: rounded towards minus infinity."""
    return (amount * left).__floor__()


def credit(amount: int, left: Fraction) -> int:
    """Give back the rest of a period, as a negative amount: also rounded towards minus infinity."""
    return (-amount * left).__floor__()


def lines(old: Sequence[Part], new: Sequence[Part], left: Fraction) -> tuple[list[int], list[int]]:
    """Give the credit of every old part and the debit of every new one; the total is the sum of both."""
    return [credit(part.amount, left) for part in old], [debit(part.amount, left) for part in new]


def settle(total: int, balance: int) -> Settlement:
    """Lay an invoice's total on the customer's balance and say what is due in money."""
    due = total + balance
    if due >= MINIMUM_CHARGE:
        return Settlement(balance, due, 0)
    return Settlement(balance, 0, due)


def split_discount(discount: int, amounts: Sequence[int]) -> list[int]:
    """Share a coupon over lines: each share is floored, the rest goes to the last line that is not zero."""
    total = sum(amounts)
    if total <= 0:
        return [0 for _ in amounts]
    discount = min(discount, total)
    shares = [discount * amount // total for amount in amounts]
    last = max(index for index, amount in enumerate(amounts) if amount)
    shares[last] += discount - sum(shares)
    return shares
