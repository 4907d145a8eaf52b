"""What back ends report of tokens, each in its own way, becomes one way of counting. Pure.

A report that cannot be true (negative, no whole numbers, parts larger than their whole) is no report: the answer stays
as it is and its tokens are estimated.

openai      cached input is inside prompt_tokens, thinking inside completion_tokens. OpenAI's API reference, "The chat
            completion object"; vLLM, SGLang, llama.cpp and Ollama answer in the same shape.
openai_responses  as OpenAI, under the names input_tokens and output_tokens. OpenAI's API reference, "The response
            object".
xai         as OpenAI, but thinking is beside completion_tokens: the total is the sum of prompt, completion and
            reasoning, and all are charged. docs.x.ai, "Reasoning" and "Consumption and rate limits".
deepseek    as OpenAI, with prompt_cache_hit_tokens and prompt_cache_miss_tokens, which add up to prompt_tokens.
            api-docs.deepseek.com, "Context caching".
anthropic   input_tokens is what was neither read from nor written to a cache: cache_read_input_tokens and
            cache_creation_input_tokens come on top. Thinking is inside output_tokens. Anthropic, "Prompt caching".
"""

from collections.abc import Callable, Mapping

from apps.inference.calls import Spent

MOST_TOKENS = 100_000_000  # ten times the largest context there is: more is a fault of the server's counter
Usage = Mapping[str, object]


def read_openai(usage: Usage) -> Spent:
    """Everything is inside two totals; details tell parts of them."""
    read = _part(usage, "prompt_tokens_details")
    return Spent(
        input_tokens=_count(usage["prompt_tokens"]),
        output_tokens=_count(usage["completion_tokens"]),
        cached_input_tokens=_optional(read, "cached_tokens"),
        cache_write_tokens=_optional(read, "cache_write_tokens"),
        image_input_tokens=_optional(read, "image_tokens"),
        reasoning_tokens=_optional(_part(usage, "completion_tokens_details"), "reasoning_tokens"),
    )


def read_openai_responses(usage: Usage) -> Spent:
    """As OpenAI, with other names for the totals and their parts."""
    names = {
        "prompt_tokens": "input_tokens",
        "completion_tokens": "output_tokens",
        "prompt_tokens_details": "input_tokens_details",
        "completion_tokens_details": "output_tokens_details",
    }
    return read_openai({name: usage[told] for name, told in names.items() if told in usage})


def read_xai(usage: Usage) -> Spent:
    """As OpenAI, but thinking is not inside the completion; the total, where it is told, must agree."""
    reasoning_tokens = _optional(_part(usage, "completion_tokens_details"), "reasoning_tokens")
    written = _count(usage["completion_tokens"]) + reasoning_tokens
    spent = read_openai({**usage, "completion_tokens": written})
    if _optional(usage, "total_tokens") not in (0, spent.input_tokens + spent.output_tokens):
        raise ValueError("the total is another sum")
    return spent


def read_deepseek(usage: Usage) -> Spent:
    """As OpenAI, with cache hits and misses named beside the total that they add up to."""
    spent = read_openai(usage)
    if usage.get("prompt_cache_hit_tokens") is None:
        return spent
    hit, miss = _count(usage["prompt_cache_hit_tokens"]), _count(usage["prompt_cache_miss_tokens"])
    if hit + miss != spent.input_tokens:
        raise ValueError("hits and misses are another sum")
    return spent._replace(cached_input_tokens=hit)


def read_anthropic(usage: Usage) -> Spent:
    """What was read from and written to the cache comes on top of the input."""
    cached = _optional(usage, "cache_read_input_tokens")
    written = _optional(usage, "cache_creation_input_tokens")
    return Spent(
        input_tokens=_count(usage["input_tokens"]) + cached + written,
        output_tokens=_count(usage["output_tokens"]),
        cached_input_tokens=cached,
        cache_write_tokens=written,
    )


READERS: Mapping[str, Callable[[Usage], Spent]] = {
    "openai": read_openai,
    "openai_responses": read_openai_responses,
    "xai": read_xai,
    "deepseek": read_deepseek,
    "anthropic": read_anthropic,
}


def read(convention: str, usage: object) -> Spent | None:
    """Read a report; None when it cannot be true."""
    if not isinstance(usage, Mapping):
        return None
    try:
        spent = READERS[convention](usage)
    except (KeyError, TypeError, ValueError):
        return None
    return spent if _is_possible(spent) else None


def _is_possible(spent: Spent) -> bool:
    parts_fit = (
        spent.cached_input_tokens + spent.cache_write_tokens <= spent.input_tokens
        and spent.image_input_tokens <= spent.input_tokens
        and spent.reasoning_tokens <= spent.output_tokens
    )
    return parts_fit and max(spent.input_tokens, spent.output_tokens) <= MOST_TOKENS


def _part(usage: Usage, name: str) -> Usage:
    part = usage.get(name)
    if part is not None and not isinstance(part, Mapping):
        raise TypeError(f"{name} is no object")
    return part or {}


def _optional(usage: Usage, name: str) -> int:
    value = usage.get(name)
    return 0 if value is None else _count(value)


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError("a count expected")
    return value
