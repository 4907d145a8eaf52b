"""What may be set from outside, each under `SANDBOX_…`; an unknown spelling stops the start."""

import os
import secrets
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


class Refused(Exception):
    """The sandbox does not start; the text says why in one line."""


@dataclass(frozen=True)
class Environment:
    """The values read at start."""

    database: Path
    seed: str
    is_calm: bool  # no shuffling and no duplicates of webhooks
    delivers_by_itself: bool  # else deliveries wait for `/_sandbox/api/deliver`
    webhook_url: str  # one endpoint that is there from the start
    webhook_secret: str
    dunning_end: str  # what follows the last failed retry: cancel, unpaid or past_due
    tax_percent: Decimal  # the one tax rate, where tax is computed
    spec_folder: Path  # Stripe's own description of its API, where it is at hand
    checks_answers: str  # hold calls and answers to that description: yes, sample (one answer in ten), no


def _choice(name: str, default: str, words: tuple[str, ...]) -> str:
    value = os.environ.get(name, default)
    if value not in words:
        raise Refused(f"{name} is “{value}”; it takes one of {', '.join(words)}.")
    return value


def _percent(name: str) -> Decimal:
    value = os.environ.get(name, "0")
    try:
        percent = Decimal(value)
    except InvalidOperation:
        raise Refused(f"{name} is “{value}”; it takes a number such as 20 or 5.5.") from None
    if not 0 <= percent <= 100:  # noqa: PLR2004  per cent
        raise Refused(f"{name} is “{value}”; it lies between 0 and 100.")
    return percent


@cache
def read() -> Environment:
    """Read the environment once.

    Raises  Refused: a value that makes no sense, or half of a webhook endpoint.
    """
    webhook_url, webhook_secret = (
        os.environ.get("SANDBOX_WEBHOOK_URL", ""),
        os.environ.get("SANDBOX_WEBHOOK_SECRET", ""),
    )
    if bool(webhook_url) != bool(webhook_secret):
        raise Refused("SANDBOX_WEBHOOK_URL and SANDBOX_WEBHOOK_SECRET belong together; one of them is missing.")
    return Environment(
        database=Path(os.environ.get("SANDBOX_DATABASE", ROOT / ".local" / "stripe_sandbox.sqlite3")),
        seed=os.environ.get("SANDBOX_SEED") or secrets.token_hex(4),
        is_calm=_choice("SANDBOX_WEATHER", "rough", ("rough", "calm")) == "calm",
        delivers_by_itself=_choice("SANDBOX_DELIVERY", "automatic", ("automatic", "manual")) == "automatic",
        webhook_url=webhook_url,
        webhook_secret=webhook_secret,
        dunning_end=_choice("SANDBOX_DUNNING_END", "cancel", ("cancel", "unpaid", "past_due")),
        tax_percent=_percent("SANDBOX_TAX_PERCENT"),
        spec_folder=Path(os.environ.get("STRIPE_SPEC_DIR", ROOT.parent / "shared" / "data" / "stripe")),
        checks_answers=_choice("SANDBOX_CHECK_ANSWERS", "sample", ("yes", "sample", "no")),
    )
