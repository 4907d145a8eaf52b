"""How a response is asked for. OpenAI's API reference, "Create a model response"."""

from collections.abc import AsyncGenerator, Mapping

import httpx

from apps.inference.calls import Piece, Prompt, Server
from apps.inference.providers import exchange
from apps.inference.providers.openai_responses.parse import parse

OPTIONS = ("temperature", "top_p", "reasoning", "text", "service_tier")  # it refuses those of chat completions


def stream(http: httpx.AsyncClient, server: Server, prompt: Prompt) -> AsyncGenerator[list[Piece], None]:
    """Give the pieces of one answer; see `exchange.stream`."""
    url = f"{server.base_url}/responses"
    return exchange.stream(http, exchange.Call(url, headers(server), request_body(server, prompt), parse()))


def headers(server: Server) -> dict[str, str]:
    """Who asks."""
    return {"Authorization": f"Bearer {server.api_key}"} if server.api_key else {}


def request_body(server: Server, prompt: Prompt) -> dict[str, object]:
    """The JSON of the call. `store` is off: what people write stays nowhere but here."""
    options = {name: prompt.options[name] for name in OPTIONS if name in prompt.options}
    if "reasoning_effort" in prompt.options:
        options["reasoning"] = {"effort": prompt.options["reasoning_effort"]}
    return {
        **options,
        "model": server.model_name,
        "input": [_input(message) for message in prompt.messages],
        "max_output_tokens": prompt.max_output_tokens,
        "stream": True,
        "store": False,
    }


def _input(message: Mapping[str, object]) -> dict[str, object]:
    """A message of a chat as this API has it: the kind of a text says who wrote it."""
    content, role = message["content"], message["role"]
    if isinstance(content, list):
        content = [_part(part, is_answer=role == "assistant") for part in content]
    return {"role": role, "content": content}


def _part(part: Mapping[str, object], *, is_answer: bool) -> dict[str, object]:
    if part["type"] == "image_url":
        image = part["image_url"]
        return {"type": "input_image", **({"image_url": image["url"]} if isinstance(image, Mapping) else {})}
    return {"type": "output_text" if is_answer else "input_text", "text": part["text"]}
