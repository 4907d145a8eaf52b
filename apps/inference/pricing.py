"""What an answer costs us and its account, and how its tokens are estimated where nobody reported them. Pure."""

from collections.abc import Iterable, Mapping

from apps.inference import tokenizer
from apps.inference.calls import Spent
from apps.inference.language_models import Rates

TOKENS_PER_PRICE = 1_000_000  # prices and costs are stated per million
TOKENS_PER_MESSAGE = 4  # role and separators


def amount_micro(rates: Rates, spent: Spent) -> int:
    """Micro-units for one answer: each token once, by the rate of its kind; one rounding, upwards.

    An image that was read from the cache counts as cached: servers report both and not their overlap.
    """
    special = spent.cached_input_tokens + spent.cache_write_tokens
    images = min(spent.image_input_tokens, spent.input_tokens - special)
    total = (
        (spent.input_tokens - special - images) * rates.input
        + spent.cached_input_tokens * rates.cached_input
        + spent.cache_write_tokens * rates.cache_write
        + images * rates.image_input
        + spent.output_tokens * rates.output
    )
    return -(-total // TOKENS_PER_PRICE)


def most_micro(rates: Rates, input_tokens: int, output_tokens: int) -> int:
    """What an answer to a prompt of text may cost at most: nobody knows before what of it a cache holds or takes."""
    dearest = max(rates.input, rates.cached_input, rates.cache_write)
    return -(-(input_tokens * dearest + output_tokens * rates.output) // TOKENS_PER_PRICE)


def estimate_input(messages: Iterable[Mapping[str, object]], name: str = tokenizer.DEFAULT) -> int:
    """Tokens of a prompt by the tokenizer with this name; parts that are no text count by what they weigh as text."""
    counts = tokenizer.count((str(message.get("content") or "") for message in messages), name)
    return sum(counts) + TOKENS_PER_MESSAGE * len(counts)


def estimate_spent(
    messages: Iterable[Mapping[str, object]], text: str, reasoning: str, name: str = tokenizer.DEFAULT, *, told: Spent
) -> Spent:
    """Tokens of an answer of which not all was reported. What was told of the input holds, what came is counted."""
    known = told if told.input_tokens else Spent(estimate_input(messages, name))
    written, thought = tokenizer.count((text, reasoning), name)
    return known._replace(output_tokens=written + thought, reasoning_tokens=thought)
