"""How a chat completion is asked for."""

from collections.abc import AsyncGenerator

import httpx

from apps.inference.calls import Piece, Prompt, Server
from apps.inference.providers import exchange
from apps.inference.providers.openai.parse import parse

GO_ON = {
    "continue_final_message": True,
    "add_generation_prompt": False,
}  # vLLM and SGLang, "Chat API", extra parameters


def stream(http: httpx.AsyncClient, server: Server, prompt: Prompt) -> AsyncGenerator[list[Piece], None]:
    """Give the pieces of one answer; see `exchange.stream`."""
    url = f"{server.base_url}/chat/completions"
    return exchange.stream(http, exchange.Call(url, headers(server), request_body(server, prompt), parse(server.usage)))


def headers(server: Server) -> dict[str, str]:
    """Who asks."""
    return {"Authorization": f"Bearer {server.api_key}"} if server.api_key else {}


def request_body(server: Server, prompt: Prompt) -> dict[str, object]:
    """The JSON of the call; our own fields go before the prompt's options."""
    return {
        **prompt.options,
        **(GO_ON if prompt.begun and server.continues == "continue_final_message" else {}),
        "model": server.model_name,
        "messages": prompt.turns,
        "stream": True,
        "stream_options": {"include_usage": True},
        server.limit_parameter: prompt.max_output_tokens,
    }
