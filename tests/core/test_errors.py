from datetime import UTC, datetime, timedelta

import pytest

from apps.core import errors
from apps.core.errors import Refusal

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def leaves(branch=errors.CauserieError):
    below = [
        leaf for child in branch.__subclasses__() if child.__module__ == "apps.core.errors" for leaf in leaves(child)
    ]
    return below or [branch]


def test_the_tree_has_these_leaves():
    assert {leaf.__name__: (leaf.status, leaf.code) for leaf in leaves()} == {
        "Invalid": (400, "invalid"),
        "Unauthenticated": (401, "unauthenticated"),
        "PaymentNeeded": (402, "payment_needed"),
        "NotAllowed": (403, "not_allowed"),
        "Missing": (404, "not_found"),
        "Conflict": (409, "conflict"),
        "TooLarge": (413, "too_large"),
        "LimitReached": (429, "limit_reached"),
        "Unavailable": (503, "unavailable"),
    }


def test_the_drawing_shows_every_leaf_with_its_status():
    for leaf in leaves():
        assert any(leaf.__name__ in line and str(leaf.status) in line for line in errors.__doc__.splitlines()), leaf


def test_a_code_can_be_narrower_than_the_class():
    assert errors.Missing("Gone.", code="no_such_key").code == "no_such_key"
    assert errors.Missing.code == "not_found"


def test_invalid_says_which_field():
    assert errors.Invalid("Too long.", field="text").details() == {"field": "text"}
    assert errors.Invalid("No.").details() == {}


def test_unavailable_has_a_sentence_of_its_own():
    error = errors.Unavailable(wait_s=7)
    assert str(error.sentence) == "Causerie cannot do this right now. Please try again in a moment."
    assert error.retry_after_s(now=NOW) == 7


def test_a_refusal_gives_its_facts_in_utc():
    refusal = Refusal("limit_reached", limit=20, used=20, resets_at=NOW, lifted_by="premium", meter="messages")
    assert refusal.facts() == {
        "limit": 20,
        "used": 20,
        "resets_at": "2026-03-02T09:00:00Z",
        "lifted_by": "premium",
        "meter": "messages",
    }


@pytest.mark.parametrize(
    ("wait", "expected"),
    [(timedelta(seconds=10), 11), (timedelta(seconds=0.2), 1), (timedelta(0), 1), (timedelta(seconds=-5), 1)],
)
def test_waiting_is_at_least_a_second_and_never_too_short(wait, expected):
    error = errors.LimitReached("Spent.", Refusal("limit_reached", resets_at=NOW + wait))
    assert error.retry_after_s(now=NOW) == expected


def test_waiting_does_not_help_where_only_a_payment_does():
    assert errors.PaymentNeeded("Not included.", Refusal("not_included")).retry_after_s(now=NOW) is None
