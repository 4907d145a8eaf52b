"""apps/inference/token_counts.py: reports as servers send them, and reports that cannot be true."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.inference import token_counts
from apps.inference.calls import Spent

OPENAI = {
    "prompt_tokens": 2006,
    "completion_tokens": 300,
    "total_tokens": 2306,
    "prompt_tokens_details": {"cached_tokens": 1920, "audio_tokens": 0},
    "completion_tokens_details": {
        "reasoning_tokens": 128,
        "audio_tokens": 0,
        "accepted_prediction_tokens": 0,
        "rejected_prediction_tokens": 0,
    },
}
VLLM = {"prompt_tokens": 12, "total_tokens": 20, "completion_tokens": 8, "prompt_tokens_details": None}
OLLAMA = {"prompt_tokens": 26, "completion_tokens": 298, "total_tokens": 324}
OPENROUTER = {
    "prompt_tokens": 10339,
    "completion_tokens": 60,
    "total_tokens": 10399,
    "cost": 0.0012,
    "prompt_tokens_details": {"cached_tokens": 10318, "cache_write_tokens": 20},
}
XAI = {
    "prompt_tokens": 1279,
    "completion_tokens": 30,
    "total_tokens": 1865,
    "prompt_tokens_details": {"text_tokens": 1023, "audio_tokens": 0, "image_tokens": 256, "cached_tokens": 1008},
    "completion_tokens_details": {
        "reasoning_tokens": 556,
        "audio_tokens": 0,
        "accepted_prediction_tokens": 0,
        "rejected_prediction_tokens": 0,
    },
    "num_sources_used": 0,
}
DEEPSEEK = {
    "prompt_tokens": 1500,
    "completion_tokens": 420,
    "total_tokens": 1920,
    "prompt_tokens_details": {"cached_tokens": 1408},
    "completion_tokens_details": {"reasoning_tokens": 300},
    "prompt_cache_hit_tokens": 1408,
    "prompt_cache_miss_tokens": 92,
}
ANTHROPIC = {
    "input_tokens": 21,
    "cache_creation_input_tokens": 188,
    "cache_read_input_tokens": 100_000,
    "cache_creation": {"ephemeral_5m_input_tokens": 188, "ephemeral_1h_input_tokens": 0},
    "output_tokens": 393,
    "service_tier": "standard",
}
REPORTED = [
    ("openai", OPENAI, Spent(2006, 300, cached_input_tokens=1920, reasoning_tokens=128)),
    ("openai", VLLM, Spent(12, 8)),
    ("openai", OLLAMA, Spent(26, 298)),
    ("openai", OPENROUTER, Spent(10339, 60, cached_input_tokens=10318, cache_write_tokens=20)),
    ("xai", XAI, Spent(1279, 586, cached_input_tokens=1008, image_input_tokens=256, reasoning_tokens=556)),
    ("xai", {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}, Spent(9, 4)),
    ("deepseek", DEEPSEEK, Spent(1500, 420, cached_input_tokens=1408, reasoning_tokens=300)),
    ("deepseek", {"prompt_tokens": 9, "completion_tokens": 4}, Spent(9, 4)),
    ("anthropic", ANTHROPIC, Spent(100_209, 393, cached_input_tokens=100_000, cache_write_tokens=188)),
    ("anthropic", {"input_tokens": 9, "output_tokens": 4, "cache_read_input_tokens": None}, Spent(9, 4)),
]
IMPOSSIBLE = [
    ("openai", {"prompt_tokens": -1, "completion_tokens": 0}),
    ("openai", {"prompt_tokens": "many", "completion_tokens": 0}),
    ("openai", {"prompt_tokens": 3.0, "completion_tokens": 1}),
    ("openai", {"prompt_tokens": True, "completion_tokens": 1}),
    ("openai", {"prompt_tokens": None, "completion_tokens": 1}),
    ("openai", {"prompt_tokens": 3}),
    ("openai", {"prompt_tokens": 100_000_001, "completion_tokens": 1}),
    ("openai", {"prompt_tokens": 3, "completion_tokens": 10**30}),
    ("openai", {"prompt_tokens": 3, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 4}}),
    ("openai", {"prompt_tokens": 3, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": -1}}),
    ("openai", {"prompt_tokens": 3, "completion_tokens": 1, "prompt_tokens_details": [3]}),
    ("openai", {"prompt_tokens": 3, "completion_tokens": 1, "prompt_tokens_details": {"image_tokens": 4}}),
    ("openai", {"prompt_tokens": 3, "completion_tokens": 1, "completion_tokens_details": {"reasoning_tokens": 2}}),
    ("openai", {"input_tokens": 3, "output_tokens": 1}),
    ("openai", [3, 1]),
    ("openai", "3+1"),
    ("xai", {**XAI, "total_tokens": 1309}),  # the sum without thinking: it would be inside, and counted twice
    ("xai", {"prompt_tokens": 3, "completion_tokens": None}),
    ("deepseek", {**DEEPSEEK, "prompt_cache_miss_tokens": 93}),
    ("deepseek", {"prompt_tokens": 3, "completion_tokens": 1, "prompt_cache_hit_tokens": 3}),
    ("anthropic", {"input_tokens": 3, "output_tokens": 1, "cache_read_input_tokens": -3}),
    ("anthropic", {"prompt_tokens": 3, "completion_tokens": 1}),
]
NUMBERS = st.one_of(st.integers(-3, 200), st.none(), st.booleans(), st.floats(), st.just(10**20), st.text(max_size=3))
NAMES = sorted(
    {name for _convention, usage, _spent in REPORTED for name, value in usage.items() if isinstance(value, int)}
)
PARTS = ["cached_tokens", "cache_write_tokens", "image_tokens", "reasoning_tokens"]
DETAILS = st.one_of(st.none(), NUMBERS, st.dictionaries(st.sampled_from(PARTS), NUMBERS))


@pytest.mark.parametrize(("convention", "usage", "spent"), REPORTED)
def test_each_convention_becomes_one_way_of_counting(convention, usage, spent):
    assert token_counts.read(convention, usage) == spent


@pytest.mark.parametrize(("convention", "usage"), IMPOSSIBLE)
def test_what_cannot_be_true_is_no_report(convention, usage):
    assert token_counts.read(convention, usage) is None


@given(
    convention=st.sampled_from(sorted(token_counts.READERS)),
    counts=st.dictionaries(st.sampled_from(NAMES), NUMBERS),
    read=DETAILS,
    written=DETAILS,
)
def test_whatever_is_reported_parts_are_never_more_than_their_whole(convention, counts, read, written):
    spent = token_counts.read(
        convention, {**counts, "prompt_tokens_details": read, "completion_tokens_details": written}
    )
    if spent is not None:
        assert all(type(count) is int and 0 <= count <= token_counts.MOST_TOKENS for count in spent)
        assert spent.cached_input_tokens + spent.cache_write_tokens <= spent.input_tokens
        assert spent.image_input_tokens <= spent.input_tokens
        assert spent.reasoning_tokens <= spent.output_tokens
