"""What an answer costs us and its account, and how tokens are estimated where nobody counted them. Pure."""

from collections.abc import Iterable, Mapping

from apps.inference.language_models import Rates

TOKENS_PER_PRICE = 1_000_000  # prices and costs are stated per million
BYTES_PER_TOKEN = 4  # of common text; more in English prose, less in other scripts
TOKENS_PER_MESSAGE = 4  # role and separators
LARGEST_TOKEN_BYTES = 16  # a frame with more than that on average holds several tokens


def amount_micro(rates: Rates, input_tokens: int, output_tokens: int) -> int:
    """Micro-units for one answer: one rounding, upwards."""
    return -(-(input_tokens * rates.input + output_tokens * rates.output) // TOKENS_PER_PRICE)


def estimate_tokens(text: str) -> int:
    """Tokens of a text, roughly: nobody knows before a model has counted."""
    return -(-len(text.encode()) // BYTES_PER_TOKEN)


def estimate_input(messages: Iterable[Mapping[str, object]]) -> int:
    """Tokens of a prompt, roughly; parts that are no text count by what they weigh as text."""
    return sum(TOKENS_PER_MESSAGE + estimate_tokens(str(message.get("content") or "")) for message in messages)


def estimate_output(text: str, frames: int) -> int:
    """Tokens of streamed text when the back end did not report them.

    Servers send one token a frame, so frames are counted; where frames are so long that they must hold several
    tokens, the text's length is.
    """
    size = len(text.encode())
    return frames if size <= frames * LARGEST_TOKEN_BYTES else -(-size // BYTES_PER_TOKEN)
