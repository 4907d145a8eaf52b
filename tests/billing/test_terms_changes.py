"""What differs between two terms of a plan, in words."""

from dataclasses import replace

import pytest

from apps.billing.terms import Attachments
from apps.billing.terms_changes import PLAIN, describe
from tests import build

WEEK = build.limit(amount=80, window="7d")
FREE = build.plan(concurrency=1)


def free(**fields):
    return replace(FREE, **fields)


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (free(), ""),
        (
            free(limits=(build.limit(amount=25),), concurrency=2),
            "messages (chat-small, 3h) 20 → 25; concurrency 1 → 2",
        ),
        (free(limits=(build.limit(), WEEK)), "messages (chat-small, 7d) none → 80"),
        (free(limits=()), "messages (chat-small, 3h) 20 → none"),
        (free(limits=(build.limit(amount=None),)), "messages (chat-small, 3h) 20 → unlimited"),
        (free(limits=(build.limit(amount=0),)), "messages (chat-small, 3h) 20 → 0"),
        (
            free(limits=(build.limit(window="1d"),)),
            "messages (chat-small, 3h) 20 → none; messages (chat-small, 1d) none → 20",
        ),
        (
            free(limits=(build.limit(models=()),)),
            "messages (chat-small, 3h) 20 → none; messages (every model, 3h) none → 20",
        ),
        (
            free(limits=(build.limit(fallback_model="chat-tiny"),)),
            "messages (chat-small, 3h) when spent refuse → fallback:chat-tiny",
        ),
        (free(name="Gratis", rank=3), "name Free → Gratis; rank 0 → 3"),
        (free(models=("chat-small", "chat-large")), "models chat-small → chat-small, chat-large"),
        (free(features=("priority",)), "features none → priority"),
        (free(queue="runs.premium", trial_days=7), "queue runs.free → runs.premium; trial days 0 → 7"),
        (
            free(context_tokens=1, output_tokens=2, api_requests_per_minute=3, api_tokens_per_minute=4),
            "context tokens 1536 → 1; output tokens 384 → 2; api requests per minute 20 → 3; "
            "api tokens per minute 20000 → 4",
        ),
        (free(attachments=Attachments(5, 10, ("image", "pdf"))), "attachments none → 5 of 10 MB (image, pdf)"),
        (free(prices={("month", "usd"): 900}), "price a month in usd none → 900"),
    ],
)
def test_what_changes(after, said):
    assert describe(FREE, after) == said


def test_a_price_that_changes_or_is_gone():
    before = free(prices={("month", "usd"): 800, ("year", "usd"): 8400})
    after = free(prices={("month", "usd"): 900})
    assert describe(before, after) == "price a month in usd 800 → 900; price a year in usd 8400 → none"
    assert describe(after, before) == "price a month in usd 900 → 800; price a year in usd none → 8400"


def test_every_field_of_terms_is_compared():
    spoken = {"limits", "prices", "attachments", "key"}
    assert set(FREE.as_json()) - spoken == set(PLAIN)
