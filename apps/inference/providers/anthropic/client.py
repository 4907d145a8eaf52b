"""How a message is asked for. Anthropic's API reference, "Create a Message"."""

import re
from collections.abc import AsyncGenerator, Mapping, Sequence

import httpx

from apps.inference.calls import Piece, Prompt, Server
from apps.inference.providers import exchange
from apps.inference.providers.anthropic.parse import parse

VERSION = "2023-06-01"
WARMEST = 1.0  # OpenAI's temperatures go up to 2
DATA_URL = re.compile(r"data:(?P<kind>[\w.+-]+/[\w.+-]+);base64,(?P<data>.*)", re.DOTALL)
TOLD_APART = ("system", "developer")  # these are no turns of the conversation here


def stream(http: httpx.AsyncClient, server: Server, prompt: Prompt) -> AsyncGenerator[list[Piece], None]:
    """Give the pieces of one answer; see `exchange.stream`."""
    url = f"{server.base_url}/messages"
    return exchange.stream(http, exchange.Call(url, headers(server), request_body(server, prompt), parse()))


def headers(server: Server) -> dict[str, str]:
    """Who asks, and in which version of the protocol."""
    return {"anthropic-version": VERSION, **({"x-api-key": server.api_key} if server.api_key else {})}


def request_body(server: Server, prompt: Prompt) -> dict[str, object]:
    """The JSON of the call: instructions stand beside the conversation, and options have their own names."""
    told = [_plain(message["content"]) for message in prompt.messages if message["role"] in TOLD_APART]
    turns = [message for message in prompt.turns if message["role"] not in TOLD_APART]
    return {
        **_options(prompt.options),
        **({"system": "\n\n".join(told)} if told else {}),
        "model": server.model_name,
        "messages": [{"role": turn["role"], "content": _content(turn["content"])} for turn in turns],
        "max_tokens": prompt.max_output_tokens,
        "stream": True,
    }


def _options(options: Mapping[str, object]) -> dict[str, object]:
    found: dict[str, object] = {}
    temperature, stop = options.get("temperature"), options.get("stop")
    if isinstance(temperature, (int, float)):
        found["temperature"] = min(temperature, WARMEST)
    if options.get("top_p") is not None:
        found["top_p"] = options["top_p"]
    if stop:
        found["stop_sequences"] = [stop] if isinstance(stop, str) else stop
    return found


def _plain(content: object) -> str:
    """A text, or the texts of its parts."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, Sequence) else ()
    return "\n".join(part["text"] for part in parts if part["type"] == "text")


def _content(content: object) -> object:
    return [_part(part) for part in content] if isinstance(content, list) else content


def _part(part: Mapping[str, object]) -> dict[str, object]:
    image = part.get("image_url")
    if not isinstance(image, Mapping):
        return {"type": "text", "text": part["text"]}
    inline = DATA_URL.fullmatch(image["url"])
    if inline is None:
        return {"type": "image", "source": {"type": "url", "url": image["url"]}}
    return {"type": "image", "source": {"type": "base64", "media_type": inline["kind"], "data": inline["data"]}}
