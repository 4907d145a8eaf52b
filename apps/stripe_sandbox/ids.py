"""Identifiers and every other chance event, from one seed that is printed at start."""

import random
import string

ALPHABET = string.ascii_letters + string.digits
LONG = {
    "price",
    "pi",
    "seti",
    "ch",
    "pm",
    "sub",
    "sub_sched",
    "in",
    "evt",
    "evt_test",
    "ed_test",
    "il",
    "inpay",
    "re",
    "we",
    "clock",
    "bpc",
    "bps",
    "di",
    "txn",
    "du",
    "mtr",
    "cn",
}

source = random.Random("unseeded")  # noqa: S311  repeatable by design, nothing here is a secret of anyone


def seed(text: str) -> None:
    """Begin the sequence anew."""
    source.seed(text)


def new(prefix: str) -> str:
    """Make an identifier: the prefix, and 14 or 24 characters."""
    return f"{prefix}_{word(24 if prefix in LONG else 14)}"


def word(length: int) -> str:
    """Make so many characters."""
    return "".join(source.choices(ALPHABET, k=length))


def chance(probability: float) -> bool:
    """Throw the dice."""
    return source.random() < probability


def between(low: float, high: float) -> float:
    """Pick a number."""
    return source.uniform(low, high)
