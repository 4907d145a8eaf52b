"""Protocols that back ends speak, by the catalogue's name. A new one is a folder beside `openai` and a line here."""

from collections.abc import AsyncGenerator, Callable
from typing import Protocol

import httpx

from apps.inference.calls import Piece, Prompt, Server
from apps.inference.providers.anthropic import client as anthropic
from apps.inference.providers.openai import client as openai
from apps.inference.providers.openai_responses import client as openai_responses


class Provider(Protocol):
    """Streams the pieces of one answer, those that came together in one list.

    Raises  CallError: nothing came, or the connection broke; an error that the server tells comes as a `Broken` piece.
    """

    def __call__(
        self, http: httpx.AsyncClient, server: Server, prompt: Prompt
    ) -> AsyncGenerator[list[Piece], None]: ...


PROVIDERS: dict[str, Provider] = {
    "openai": openai.stream,
    "openai_responses": openai_responses.stream,
    "anthropic": anthropic.stream,
}
HEADERS: dict[str, Callable[[Server], dict[str, str]]] = {
    "openai": openai.headers,
    "openai_responses": openai_responses.headers,
    "anthropic": anthropic.headers,
}
