"""The OpenAI-compatible face over HTTP; a test plays the worker and writes the events of the run."""

import asyncio
import json
from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.db import transaction
from django.test import AsyncClient

from apps.billing import plans
from apps.billing.models import BillingAccount
from apps.core import clock
from apps.developer import keys, throttles
from apps.developer.models import ApiKey
from apps.inference import readers, relay, steps
from apps.inference.events import Delta, Failed, Finished, Queued, Restarted, Snapshot, Started, Usage
from apps.inference.models import Run
from apps.inference.relay import Position
from apps.usage import credits
from tests import build, cast

pytestmark = pytest.mark.django_db(transaction=True)
BODY = {"model": "chat-small", "messages": [{"role": "user", "content": "Say hello"}]}
ANSWER = [
    Started("chat-small", "local"),
    Delta("Hel"),
    Delta("lo"),
    Finished(Usage(12, 2, "reported", cached_input_tokens=8, reasoning_tokens=1), "stop"),
]


@pytest.fixture
def secret():
    _key, secret = keys.make_key(build.account(owner=cast.ana()), "tests", now=clock.now())
    return secret


def ask(secret, body=BODY, *, events=(), method="post", path="/v1/chat/completions", raw=None):
    """Send one request; once its run is stored, play `events`. Give the response with its whole content."""

    async def scenario():
        client = AsyncClient()
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        content = {"data": raw or json.dumps(body), "content_type": "application/json"} if method == "post" else {}
        request = asyncio.create_task(getattr(client, method)(path, headers=headers, **content))
        try:
            if events:
                await play(await stored_run(request), events)
            response = await asyncio.wait_for(request, 10)
            if response.streaming:
                response.whole = b"".join([part async for part in response.streaming_content])
            else:
                response.whole = response.content
            return response
        finally:
            request.cancel()
            await readers.close()

    return asyncio.run(scenario())


async def stored_run(request):
    async with asyncio.timeout(10):
        while (run := await steps.call(Run.objects.last)) is None:
            await asyncio.sleep(0.01)
            assert not request.done(), request.result().content
        return run


async def play(run, events):
    for number, event in enumerate(events, 1):
        await asyncio.to_thread(relay.announce, run.pk, Position(1, number), event)


def error_of(response):
    error = json.loads(response.whole)["error"]
    return response.status_code, error["type"], error["code"], error["param"]


def frames_of(response):
    lines = response.whole.decode().split("\n\n")
    return [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]


def test_a_whole_answer(secret):
    response = ask(secret, {**BODY, "temperature": 0.5, "max_tokens": 50}, events=ANSWER)
    run = Run.objects.get()
    assert response.status_code == 200
    assert json.loads(response.whole) == {
        "id": f"chatcmpl-{run.pk.hex}",
        "object": "chat.completion",
        "created": int(run.created_at.timestamp()),
        "model": "chat-small",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hello", "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 12,
            "completion_tokens": 2,
            "total_tokens": 14,
            "prompt_tokens_details": {"cached_tokens": 8},
            "completion_tokens_details": {"reasoning_tokens": 1},
        },
    }
    assert (run.channel, run.job, run.model) == ("api", "developer.complete_request", "chat-small")
    assert run.account.owner.email == "ana@example.org"
    assert (run.request["max_tokens"], run.request["temperature"]) == (50, 0.5)
    assert response["x-ratelimit-limit-requests"] == "20"
    assert response["x-ratelimit-remaining-requests"] == "19"
    assert response["x-ratelimit-remaining-tokens"] == str(20_000 - 6 - 50)


def test_a_streamed_answer(secret):
    body = {**BODY, "stream": True, "stream_options": {"include_usage": True}}
    response = ask(secret, body, events=ANSWER)
    assert response["Content-Type"] == "text/event-stream"
    assert response["x-ratelimit-remaining-requests"] == "19"
    *chunks, done = frames_of(response)
    assert done == "[DONE]"
    chunks = [json.loads(chunk) for chunk in chunks]
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert [chunk["choices"][0]["delta"] for chunk in chunks[:-1]] == [
        {"role": "assistant", "content": "", "refusal": None},
        {"content": "Hel"},
        {"content": "lo"},
        {},
    ]
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks[:-1]] == [None, None, None, "stop"]
    assert [chunk["usage"] for chunk in chunks[:-1]] == [None] * 4
    assert (chunks[-1]["choices"], chunks[-1]["usage"]["total_tokens"]) == ([], 14)


def test_without_being_asked_a_stream_says_nothing_of_usage(secret):
    chunks = frames_of(ask(secret, {**BODY, "stream": True}, events=ANSWER))
    assert all("usage" not in json.loads(chunk) for chunk in chunks[:-1])


def test_an_answer_that_reached_its_length_says_so(secret):
    response = ask(secret, events=[*ANSWER[:-1], Finished(Usage(12, 2, "reported"), "length")])
    assert json.loads(response.whole)["choices"][0]["finish_reason"] == "length"


def test_what_was_missed_is_added_and_nothing_is_said_twice(secret):
    events = [*ANSWER[:2], Snapshot("Hello"), ANSWER[-1]]
    chunks = frames_of(ask(secret, {**BODY, "stream": True}, events=events))
    assert [json.loads(chunk)["choices"][0]["delta"].get("content") for chunk in chunks[:-1]] == ["", "Hel", "lo", None]


def test_an_answer_that_begins_anew_ends_the_stream_with_an_error(secret):
    events = [*ANSWER[:2], Restarted(), Delta("Good"), ANSWER[-1]]
    frames = frames_of(ask(secret, {**BODY, "stream": True}, events=events))
    assert json.loads(frames[-1])["error"]["code"] == "restarted"
    assert Run.objects.get().state == "stopped"


@pytest.mark.parametrize("is_stream", [True, False])
@pytest.mark.parametrize(
    ("failed", "status", "kind", "wait"),
    [
        (Failed("credit_spent", "x", retry=False, lifted_by="credit"), 402, "insufficient_quota", None),
        (Failed("too_many_at_once", "x", retry=True, limit=1, used=1), 429, "rate_limit_error", "5"),
        (Failed("key_cap_reached", "x", retry=False, lifted_by="spending_cap"), 402, "insufficient_quota", None),
        (Failed("model_unavailable", "x", retry=True), 503, "server_error", "5"),
        (Failed("request_refused", "x", retry=False), 400, "invalid_request_error", None),
    ],
)
def test_a_refusal_before_the_first_word_is_a_status(secret, failed, status, kind, wait, is_stream):
    response = ask(secret, {**BODY, "stream": is_stream}, events=[Queued(1), failed])
    assert error_of(response) == (status, kind, failed.code, None)
    assert response.headers.get("Retry-After") == wait
    assert response["x-ratelimit-remaining-requests"] == "19"


def test_a_cap_that_is_reached_says_how_much_until_when_and_how_to_lift_it(secret):
    facts = {"limit": 5_000_000, "used": 4_999_999, "lifted_by": "spending_cap", "meter": "spending", "currency": "usd"}
    end = (clock.now() + timedelta(seconds=100)).isoformat()
    failed = Failed("spending_cap_reached", "x", retry=False, resets_at=end, **facts)
    response = ask(secret, events=[failed])
    error = json.loads(response.whole)["error"]
    assert {name: error[name] for name in facts} == facts
    assert error["message"].startswith("This could cost more than is left of the 5.00 USD that you let be spent")
    assert 90 < int(response["Retry-After"]) <= 101


def test_a_failure_in_the_middle_is_a_frame_and_no_end(secret):
    events = [*ANSWER[:2], Failed("answer_cut_off", "The answer broke off.", retry=True)]
    frames = frames_of(ask(secret, {**BODY, "stream": True}, events=events))
    assert json.loads(frames[-1])["error"] == {
        "message": "The answer broke off.",
        "type": "server_error",
        "param": None,
        "code": "answer_cut_off",
    }


def test_who_goes_away_stops_the_run(secret):
    async def scenario():
        client = AsyncClient()
        headers = {"Authorization": f"Bearer {secret}"}
        body = json.dumps({**BODY, "stream": True})
        request = client.post("/v1/chat/completions", body, content_type="application/json", headers=headers)
        task = asyncio.create_task(request)
        await play(await stored_run(task), ANSWER[:2])
        response = await asyncio.wait_for(task, 10)
        parts = aiter(response.streaming_content)
        await anext(parts)
        await parts.aclose()
        await readers.close()

    asyncio.run(scenario())
    assert Run.objects.get().stop_requested_at is not None


@pytest.mark.parametrize("secret", [None, "ck-wrong"])
def test_without_a_valid_key_nothing_happens(secret):
    for path in ("/v1/chat/completions", "/v1/models", "/v1/models/chat-small", "/v1/embeddings"):
        response = ask(secret, method="get" if "models" in path else "post", path=path)
        assert error_of(response) == (401, "authentication_error", "invalid_api_key", None)
    assert not Run.objects.exists()


def test_a_signed_in_browser_is_nobody_here(client):
    client.force_login(cast.ana())
    assert client.get("/v1/models").status_code == 401


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({**BODY, "model": "gpt-9"}, (404, "invalid_request_error", "model_not_found", None)),
        ({**BODY, "model": "chat-large"}, (404, "invalid_request_error", "model_not_found", None)),
        ({**BODY, "n": 2}, (400, "invalid_request_error", "unsupported_value", "n")),
        ({"model": "chat-small"}, (400, "invalid_request_error", "invalid_value", "messages")),
        (
            {**BODY, "messages": [{"role": "user", "content": "word " * 2_100}]},
            (400, "invalid_request_error", "context_length_exceeded", "messages"),
        ),
    ],
)
def test_what_makes_no_sense_is_refused_and_stores_nothing(secret, body, expected):
    assert error_of(ask(secret, body)) == expected
    assert not Run.objects.exists()


def test_a_body_that_is_no_json_or_too_large(secret):
    assert error_of(ask(secret, raw="{")) == (400, "invalid_request_error", "invalid_json", None)
    assert error_of(ask(secret, raw=" " * (1024 * 1024 + 1))) == (413, "invalid_request_error", "too_large", None)
    assert not Run.objects.exists()


def test_too_many_requests_a_minute(secret):
    account, plan = BillingAccount.objects.get(), plans.catalogue().plans["free"]
    for _number in range(20):
        throttles.admit(account.pk, plan, 0, now=clock.now())
    response = ask(secret)
    assert error_of(response) == (429, "rate_limit_error", "rate_limit_exceeded", None)
    assert int(response["Retry-After"]) in (3, 4)
    assert response["x-ratelimit-remaining-requests"] == "0"
    assert not Run.objects.exists()


def test_who_bought_credit_calls_by_the_developers_terms(secret):
    account = BillingAccount.objects.get()
    with transaction.atomic():
        credits.grant(account, "purchase", "test", 1_000_000, "usd", now=clock.now())
    response = ask(secret, events=ANSWER)
    assert response["x-ratelimit-limit-requests"] == "600"
    assert Run.objects.get().queue == "runs.premium"
    assert credits.api_terms(account, plans.catalogue().plans["free"]).concurrency == 20


def test_the_models_that_something_here_serves(secret):
    made = int(django_settings.CATALOGUE_PATH.stat().st_mtime)
    small = {"id": "chat-small", "object": "model", "created": made, "owned_by": "causerie"}
    response = ask(secret, method="get", path="/v1/models")
    assert json.loads(response.whole) == {"object": "list", "data": [small]}
    assert json.loads(ask(secret, method="get", path="/v1/models/chat-small").whole) == small
    assert error_of(ask(secret, method="get", path="/v1/models/chat-large"))[0] == 404


def test_other_methods_and_addresses_are_refused_in_the_same_shape(secret):
    response = ask(secret, method="get")
    assert error_of(response) == (405, "invalid_request_error", "method_not_allowed", None)
    assert response["Allow"] == "POST"
    assert error_of(ask(secret, path="/v1/embeddings"))[0] == 404


def test_a_revoked_key_opens_nothing(secret):
    key = ApiKey.objects.get()
    keys.revoke_key(key.account, key.pk, now=clock.now())
    assert error_of(ask(secret))[0] == 401
