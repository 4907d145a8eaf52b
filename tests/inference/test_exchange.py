"""apps/inference/providers: what each dialect sends, and what refusals mean."""

import asyncio

import httpx
import orjson
import pytest

from apps.inference.calls import CallError, Done, Finish, Prompt, Server, Text
from apps.inference.providers import PROVIDERS

PICTURE = "data:image/png;base64,iVBORw0KGgo="
QUESTION = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": PICTURE}}]
MESSAGES = (
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": QUESTION},
    {"role": "assistant", "content": "A cat."},
    {"role": "user", "content": "Sure?"},
)
OPTIONS = {"temperature": 1.5, "top_p": 0.9, "stop": "END", "presence_penalty": 1}
PROMPT = Prompt(MESSAGES, max_output_tokens=64, options=OPTIONS)
WORDS = {
    "openai": b'data: {"choices":[{"delta":{"content":"Yes"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n',
    "openai_responses": b'data: {"type":"response.output_text.delta","delta":"Yes"}\n\n'
    b'data: {"type":"response.completed","response":{}}\n\n',
    "anthropic": b'data: {"type":"content_block_delta","delta":{"type":"text_delta","text":"Yes"}}\n\n'
    b'data: {"type":"message_delta","delta":{"stop_reason":"end_turn"}}\n\ndata: {"type":"message_stop"}\n\n',
}
each_dialect = pytest.mark.parametrize("provider", sorted(PROVIDERS))


def server_of(provider):
    return Server("far", provider, "https://models.example/v1", "sk-secret", "model-1")


def call(provider, answer):
    """The pieces of one call, and the request it sent."""
    sent = []

    def reply(request):
        sent.append(request)
        return answer if isinstance(answer, httpx.Response) else answer()

    async def gather():
        async with httpx.AsyncClient(transport=httpx.MockTransport(reply)) as http:
            return [pieces async for pieces in PROVIDERS[provider](http, server_of(provider), PROMPT)]

    return asyncio.run(gather()), sent[0]


def accepted(provider):
    async def stream():
        yield WORDS[provider]

    return httpx.Response(200, content=stream())


def sent_by(provider):
    _, request = call(provider, accepted(provider))
    return request.url.path, request.headers, orjson.loads(request.content)


@each_dialect
def test_an_accepted_call_says_so_before_its_words(provider):
    pieces, _ = call(provider, accepted(provider))
    assert pieces[0] == []
    assert [piece for together in pieces for piece in together] == [Text("Yes"), Finish("stop"), Done()]


def test_openai_gets_the_messages_as_they_are():
    path, headers, body = sent_by("openai")
    assert (path, headers["Authorization"]) == ("/v1/chat/completions", "Bearer sk-secret")
    assert body == {
        **OPTIONS,
        "model": "model-1",
        "messages": list(MESSAGES),
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 64,
    }


def test_openai_responses_gets_typed_parts_and_keeps_nothing():
    path, headers, body = sent_by("openai_responses")
    assert (path, headers["Authorization"]) == ("/v1/responses", "Bearer sk-secret")
    question = [{"type": "input_text", "text": "What is it?"}, {"type": "input_image", "image_url": PICTURE}]
    assert body == {
        "temperature": 1.5,
        "top_p": 0.9,
        "model": "model-1",
        "input": [MESSAGES[0], {"role": "user", "content": question}, *MESSAGES[2:]],
        "max_output_tokens": 64,
        "stream": True,
        "store": False,
    }


def test_anthropic_gets_instructions_beside_the_turns_and_its_own_names():
    path, headers, body = sent_by("anthropic")
    assert (path, headers["x-api-key"], headers["anthropic-version"]) == ("/v1/messages", "sk-secret", "2023-06-01")
    assert "Authorization" not in headers
    image = {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}
    question = [{"type": "text", "text": "What is it?"}, {"type": "image", "source": image}]
    assert body == {
        "temperature": 1.0,
        "top_p": 0.9,
        "stop_sequences": ["END"],
        "system": "Be brief.",
        "model": "model-1",
        "messages": [{"role": "user", "content": question}, *MESSAGES[2:]],
        "max_tokens": 64,
        "stream": True,
    }


@each_dialect
@pytest.mark.parametrize(
    ("status", "reason"),
    [(400, "refused"), (401, "unauthorised"), (429, "overloaded"), (500, "server_error"), (529, "overloaded")],
)
def test_a_refusal_says_what_it_means_and_when_to_come_back(provider, status, reason):
    answer = httpx.Response(status, headers={"Retry-After": "7"}, json={"error": {"message": "secret"}})
    with pytest.raises(CallError) as refused:
        call(provider, answer)
    assert (refused.value.reason, refused.value.retry_after_s) == (reason, 7.0)
    assert "secret" not in str(refused.value)


@each_dialect
def test_a_server_that_is_not_there_is_unreachable(provider):
    def fail():
        raise httpx.ConnectError("refused")

    with pytest.raises(CallError) as refused:
        call(provider, fail)
    assert refused.value.reason == "unreachable"
