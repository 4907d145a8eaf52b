"""Stripe's own description of its API as the judge of what is asked and sent, where that file is at hand."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

from apps.stripe_sandbox.call_judge import Objection
from apps.stripe_sandbox.documents import Document
from apps.stripe_sandbox.errors import StripeError
from apps.stripe_sandbox.models import Violation

SAMPLE = 10


@dataclass
class Court:
    """Who judges: set once at start. Every call is judged; of what is sent, one in `every`."""

    of_calls: Callable[[str, str, Document], list[Objection]] | None = None
    of_answers: Callable[[Document], list[str]] | None = None
    every: int = 1


court = Court()
sent = count(1)


def check(document: Document, where: str) -> None:
    """Write down what a document has that Stripe's would not have, or lacks."""
    if court.of_answers and next(sent) % court.every == 0:
        for problem in court.of_answers(document):
            _note(Violation.Side.ANSWERED, where, problem)


def check_call(method: str, pattern: str, raw: Document) -> list[Objection]:
    """Give what Stripe would object to in a call, written down as well: whoever sent it may swallow the refusal."""
    objections = court.of_calls(method, pattern, raw) if court.of_calls else []
    for objection in objections:
        _note(Violation.Side.ASKED, f"{method} {pattern}", str(objection))
    return objections


def note_refusal(error: StripeError, method: str, pattern: str) -> None:
    """Write down that a call was told something that the sandbox does not know, whether or not Stripe does."""
    if error.error.get("code") == "parameter_unknown":
        _note(Violation.Side.ASKED, f"{method} {pattern}", f"{error} (not known to the sandbox)")


def _note(side: Violation.Side, where: str, problem: str) -> None:
    Violation.objects.get_or_create(side=side, where=where, problem=problem)
