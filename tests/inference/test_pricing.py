"""apps/inference/pricing.py, worked out by hand."""

import pytest

from apps.inference import pricing
from apps.inference.language_models import Rates

RATES = Rates(input=50_000, output=150_000)


@pytest.mark.parametrize(
    ("input_tokens", "output_tokens", "micro"),
    [(0, 0, 0), (1, 0, 1), (20, 0, 1), (21, 0, 2), (100, 50, 13), (1_000_000, 1_000_000, 200_000), (7, 1, 1)],
)
def test_an_amount_is_rounded_once_and_upwards(input_tokens, output_tokens, micro):
    assert pricing.amount_micro(RATES, input_tokens, output_tokens) == micro


def test_a_free_model_costs_nothing():
    assert pricing.amount_micro(Rates(0, 0), 1000, 1000) == 0


@pytest.mark.parametrize(
    ("text", "frames", "tokens"),
    [
        ("", 0, 0),
        ("word " * 300, 300, 300),  # one token a frame, as servers send them
        ("antidisestablishmentarianism " * 10, 10, 73),  # frames that must hold several: 290 bytes
        ("a saved text", 0, 3),  # no frames known: by its length
    ],
)
def test_output_is_estimated_from_frames_or_from_length(text, frames, tokens):
    assert pricing.estimate_output(text, frames) == tokens


def test_input_is_estimated_from_every_message():
    messages = [{"role": "user", "content": "12345678"}, {"role": "assistant", "content": None}, {"role": "tool"}]
    assert pricing.estimate_input(messages) == (4 + 2) + 4 + 4
