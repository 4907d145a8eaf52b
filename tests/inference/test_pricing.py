"""apps/inference/pricing.py, worked out by hand, and against exact fractions."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.inference import pricing
from apps.inference.calls import Spent
from apps.inference.language_models import Rates

RATES = Rates.of({"input": 50_000, "output": 150_000})
FIVE = Rates(input=1_000_000, output=5_000_000, cached_input=100_000, cache_write=1_250_000, image_input=2_000_000)
COUNT = st.integers(0, 10**8)
RATE = st.integers(0, 10**9)
ANY_RATES = st.builds(Rates, RATE, RATE, RATE, RATE, RATE)


@st.composite
def counts(draw):
    """Disjoint parts put together, as a back end's report holds them."""
    plain, cached, written, images, said, thought = (draw(COUNT) for _ in range(6))
    return Spent(plain + cached + written + images, said + thought, cached, written, images, thought)


@pytest.mark.parametrize(
    ("input_tokens", "output_tokens", "micro"),
    [(0, 0, 0), (1, 0, 1), (20, 0, 1), (21, 0, 2), (100, 50, 13), (1_000_000, 1_000_000, 200_000), (7, 1, 1)],
)
def test_an_amount_is_rounded_once_and_upwards(input_tokens, output_tokens, micro):
    assert pricing.amount_micro(RATES, Spent(input_tokens, output_tokens)) == micro


@pytest.mark.parametrize(
    ("spent", "micro"),
    [
        (Spent(1000, 0), 1000),
        (Spent(1000, 0, cached_input_tokens=900), 100 + 90),
        (Spent(1000, 0, cache_write_tokens=800), 200 + 1000),
        (Spent(1000, 0, image_input_tokens=256), 744 + 512),
        (Spent(1000, 100, 500, 200, 100, 60), 200 + 50 + 250 + 200 + 500),  # thinking is output like any other
        (Spent(1000, 0, cached_input_tokens=900, image_input_tokens=256), 90 + 200),  # 156 of the image were cached
    ],
)
def test_each_token_is_charged_once_by_the_rate_of_its_kind(spent, micro):
    assert pricing.amount_micro(FIVE, spent) == micro


def test_a_free_model_costs_nothing():
    assert pricing.amount_micro(Rates(0, 0, 0, 0, 0), Spent(1000, 1000, 100)) == 0


@given(ANY_RATES, counts())
def test_an_amount_is_the_exact_sum_rounded_up(rates, spent):
    plain = spent.input_tokens - spent.cached_input_tokens - spent.cache_write_tokens - spent.image_input_tokens
    parts = [
        (plain, rates.input),
        (spent.cached_input_tokens, rates.cached_input),
        (spent.cache_write_tokens, rates.cache_write),
        (spent.image_input_tokens, rates.image_input),
        (spent.output_tokens, rates.output),
    ]
    exact = sum((count * Fraction(rate, 1_000_000) for count, rate in parts), Fraction(0))
    assert pricing.amount_micro(rates, spent) == math.ceil(exact) >= 0


@given(ANY_RATES, counts(), counts())
def test_more_of_anything_never_costs_less(rates, spent, more):
    both = Spent(*(one + other for one, other in zip(spent, more, strict=True)))
    assert pricing.amount_micro(rates, both) >= pricing.amount_micro(rates, spent)


@given(ANY_RATES, st.integers(0, 10**6), st.integers(0, 10**6), st.data())
def test_what_is_set_aside_for_a_prompt_of_text_covers_it_however_it_is_cached(rates, read, written, data):
    cached = data.draw(st.integers(0, read))
    spent = Spent(read, written, cached, data.draw(st.integers(0, read - cached)))
    assert pricing.most_micro(rates, read, written) >= pricing.amount_micro(rates, spent)


def test_input_is_estimated_from_every_message():
    messages = [{"role": "user", "content": "hello world"}, {"role": "assistant", "content": None}, {"role": "tool"}]
    assert pricing.estimate_input(messages) == (4 + 2) + 4 + 4


@pytest.mark.parametrize(
    ("told", "spent"),
    [
        (Spent(), Spent(6, 6, reasoning_tokens=2)),
        (Spent(70, 1, cached_input_tokens=64), Spent(70, 6, cached_input_tokens=64, reasoning_tokens=2)),
    ],
)
def test_what_was_not_told_is_counted(told, spent):
    messages = [{"role": "user", "content": "hello world"}]
    assert pricing.estimate_spent(messages, "It is 42", "Hm.", told=told) == spent
