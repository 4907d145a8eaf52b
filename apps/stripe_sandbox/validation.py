"""Stripe's own description of its API as the judge of what the sandbox sends; only where that file is at hand."""

from collections.abc import Callable

from apps.stripe_sandbox.documents import Document
from apps.stripe_sandbox.models import Violation

Judge = Callable[[Document], list[str]]
judges: list[Judge] = []  # set once at start, by `specification.load`


def check(document: Document, where: str) -> None:
    """Write down what a document has that Stripe's would not have, or lacks."""
    for judge in judges:
        for problem in judge(document):
            Violation.objects.create(where=where, problem=problem)
