from datetime import UTC, datetime

import pytest
from django.utils import timezone, translation

from apps.core.errors import LimitReached, PaymentNeeded, Refusal
from apps.usage import errors

BUY = (
    "Your API credit does not cover this. Ask for a shorter answer (max_tokens), or buy credit at "
    "http://testserver/settings/credit/; there it can also be recharged by itself."
)
RESETS_AT = datetime(2026, 3, 2, 12, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("refusal", "sentence"),
    [
        (
            Refusal("limit_reached", 20, 20, RESETS_AT, "premium", "messages"),
            "You have used the 20 messages your plan gives for now. You can go on from 2 March, 12:05 UTC. "
            "The Premium plan gives you more right away.",
        ),
        (
            Refusal("limit_reached", 20_000, 19_500, RESETS_AT, None, "tokens"),
            "What is left of the 20,000 tokens your plan gives for now is not enough for this. "
            "You can go on from 2 March, 12:05 UTC.",
        ),
        (
            Refusal("too_many_at_once", 1, 1, None, "premium", "concurrency"),
            "Your plan writes 1 answer at a time: wait until it is finished, then send again. "
            "The Premium plan gives you more right away.",
        ),
        (
            Refusal("too_many_at_once", 3, 3),
            "Your plan writes 3 answers at a time: wait until one is finished, then send again.",
        ),
        (
            Refusal("not_included", 0, 0, None, "premium", "messages"),
            "Your plan does not include this. The Premium plan gives you more right away.",
        ),
        (
            Refusal("not_included", 1_000, None, None, None, "tokens"),
            "This needs more than the 1,000 tokens your plan gives.",
        ),
        (
            Refusal("credit_spent", lifted_by="credit"),
            BUY,
        ),
        (
            Refusal("usage_cap_reached", 50_000_000, 49_000_000, RESETS_AT, "spending_cap", "usage_charges", "usd"),
            "Your API credit is spent, and this could cost more than is left of the 50.00 USD that you let be charged "
            "at the end of a month. You can go on from 2 March, 12:05 UTC. You can raise this cap in your settings.",
        ),
        (
            Refusal("spending_cap_reached", 20_000_000, 19_999_999, RESETS_AT, "spending_cap", "spending", "usd"),
            "This could cost more than is left of the 20.00 USD that you let be spent in a month. "
            "You can go on from 2 March, 12:05 UTC. You can raise this cap in your settings.",
        ),
        (
            Refusal("key_cap_reached", 400, 399, None, "spending_cap", "spending", "eur"),
            "This could cost more than is left of the 0.0004 EUR that you let this key spend in a month. "
            "You can raise this cap in your settings.",
        ),
    ],
)
def test_says_what_is_spent_when_it_comes_back_and_what_lifts_it(refusal, sentence):
    assert errors.sentence(refusal) == sentence
    assert errors.explain(refusal.code, refusal.facts()) == sentence


def test_the_time_is_the_readers():
    refusal = Refusal("limit_reached", 20, 20, RESETS_AT, None, "messages")
    with timezone.override("Europe/Paris"):
        assert "You can go on from 2 March, 13:05 CET." in errors.sentence(refusal)


def test_the_sentence_of_an_error_waits_for_the_readers_language():
    error = errors.payment_needed(Refusal("not_included", 20_000, None, None, None, "tokens"))
    with translation.override("fr"):
        assert "20\u202f000" in str(error.sentence).replace("\xa0", "\u202f")
    assert "20,000" in str(error.sentence)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("limit_reached", LimitReached),
        ("too_many_at_once", LimitReached),
        ("not_included", PaymentNeeded),
        ("credit_spent", PaymentNeeded),
        ("spending_cap_reached", PaymentNeeded),
        ("key_cap_reached", PaymentNeeded),
    ],
)
def test_a_stored_refusal_is_the_same_error_again(code, kind):
    refusal = Refusal(code, 20, 19, RESETS_AT, "premium", "messages")
    error = errors.refused_again(code, refusal.facts())
    assert isinstance(error, kind)
    assert error.refusal == refusal


def test_what_is_missing_in_stored_facts_is_left_out():
    assert errors.read_refusal("limit_reached", {"limit": "many", "resets_at": None}) == Refusal("limit_reached")
