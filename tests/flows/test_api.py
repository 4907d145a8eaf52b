"""The official client against the running product: web, workers and database are processes of their own."""

import re
from concurrent.futures import ThreadPoolExecutor

import openai
import pytest

from tests.support.provider import GREETING, GREETING_TEXT

REPORTED = {
    "prompt_tokens": 10,
    "completion_tokens": 6,
    "prompt_tokens_details": {"cached_tokens": 8},
    "completion_tokens_details": {"reasoning_tokens": 2},
}
HELLO = [{"role": "user", "content": "Good morning!"}]
LAST_SETTLED = """
    SELECT run.state, row.credit_micro FROM inference_run run JOIN usage_usageledger row ON row.run_id = run.id
     WHERE run.created_at = (SELECT max(created_at) FROM inference_run)
"""
REFUSED = "SELECT id FROM inference_run WHERE error_code = 'too_many_at_once'"
SECRET = re.compile(r"ck-[A-Za-z0-9_-]{43}")


@pytest.fixture(scope="module")
def secret(product_processes):
    """A key, made on the page as a person makes it, once for this file."""
    staff, person = product_processes.staff, product_processes.person()
    person.get("/accounts/login/")
    assert person.post("/accounts/login/", login=staff["email"], password=staff["password"]).status_code == 302
    person.get("/settings/keys/")
    page = person.post("/settings/keys/", name="flows").text
    person.close()
    return SECRET.search(page).group()


@pytest.fixture
def client(running_product, secret):
    with openai.OpenAI(base_url=f"{running_product.url}/v1", api_key=secret, max_retries=0, timeout=30) as client:
        yield client


def test_a_whole_answer(client, running_product):
    running_product.provider.answer(*GREETING, usage=REPORTED)
    answer = client.chat.completions.create(model="chat-small", messages=HELLO, temperature=0.2, max_tokens=50)
    assert answer.choices[0].message.content == GREETING_TEXT
    assert answer.choices[0].finish_reason == "stop"
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens) == (10, 6, 16)
    assert answer.usage.prompt_tokens_details.cached_tokens == 8
    assert answer.usage.completion_tokens_details.reasoning_tokens == 2
    assert running_product.provider.requests[0].body["temperature"] == 0.2


def test_a_streamed_answer_comes_word_by_word(client, running_product):
    gate = running_product.provider.gate()
    running_product.provider.answer("Good ", gate, "morning.", usage=(10, 2))
    stream = client.chat.completions.create(
        model="chat-small", messages=HELLO, stream=True, stream_options={"include_usage": True}
    )
    texts, usage = [], None
    for chunk in stream:
        usage = chunk.usage or usage
        text = chunk.choices[0].delta.content if chunk.choices else None
        if text:
            texts.append(text)
            gate.open()  # the rest is sent only after the beginning was here
    assert "".join(texts) == "Good morning."
    assert texts[0] == "Good "
    assert usage.total_tokens == 12


def test_the_models_on_offer(client):
    assert [model.id for model in client.models.list()] == ["chat-small"]
    assert client.models.retrieve("chat-small").owned_by == "causerie"


def test_a_wrong_key_is_an_authentication_error(running_product):
    wrong = openai.OpenAI(base_url=f"{running_product.url}/v1", api_key="ck-wrong", max_retries=0)
    with wrong, pytest.raises(openai.AuthenticationError) as refused:
        wrong.chat.completions.create(model="chat-small", messages=HELLO)
    assert refused.value.code == "invalid_api_key"
    assert running_product.provider.requests == []


def test_an_unknown_model_is_not_found(client):
    with pytest.raises(openai.NotFoundError) as refused:
        client.chat.completions.create(model="gpt-nine", messages=HELLO)
    assert refused.value.code == "model_not_found"


def test_what_is_not_supported_is_a_bad_request_that_names_it(client, running_product):
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(model="chat-small", messages=HELLO, n=3)
    assert (refused.value.param, refused.value.code) == ("n", "unsupported_value")
    assert running_product.provider.requests == []


def test_who_goes_away_stops_the_answer(client, running_product):
    gate = running_product.provider.gate()
    running_product.provider.answer("Good ", gate, "morning.")
    with client.chat.completions.create(model="chat-small", messages=HELLO, stream=True) as stream:
        next(chunk for chunk in stream if chunk.choices[0].delta.content)
    running_product.wait_for(lambda: running_product.provider.broken_off)
    gate.open()
    [(state, paid)] = running_product.wait_for(lambda: running_product.rows(LAST_SETTLED))
    assert state == "stopped"
    assert paid < 0


@pytest.fixture
def half_written(client, running_product):
    """An answer of the same account that is being written until the gate opens, and the gate."""
    gate = running_product.provider.gate()
    running_product.provider.answer("Good ", gate, "morning.")
    with client.chat.completions.create(model="chat-small", messages=HELLO, stream=True) as stream:
        next(chunk for chunk in stream if chunk.choices[0].delta.content)
        yield stream, gate
        gate.open()
        list(stream)


@pytest.mark.parametrize("is_stream", [False, True])
def test_one_more_than_the_plan_writes_at_once_is_429_and_nothing_is_called(
    half_written, client, running_product, is_stream
):
    with pytest.raises(openai.RateLimitError) as refused:
        client.chat.completions.create(model="chat-small", messages=HELLO, stream=is_stream)
    assert refused.value.code == "too_many_at_once"
    assert refused.value.response.headers["Retry-After"] == "5"
    assert len(running_product.provider.requests) == 1


@pytest.mark.slow
def test_the_official_client_repeats_by_itself_and_is_answered(half_written, client, running_product):
    stream, gate = half_written
    before = running_product.rows(REFUSED)
    with ThreadPoolExecutor(1) as threads:
        patient = client.with_options(max_retries=1).chat.completions
        asking = threads.submit(patient.create, model="chat-small", messages=HELLO)
        running_product.wait_for(lambda: running_product.rows(REFUSED) != before)
        gate.open()
        list(stream)
        assert asking.result(timeout=20).choices[0].message.content == GREETING_TEXT


def test_spent_credit_is_402_and_nothing_is_called(client, running_product):
    running_product.rows("UPDATE usage_creditaccount SET balance_micro = reserved_micro RETURNING balance_micro")
    for is_stream in (False, True):
        with pytest.raises(openai.APIStatusError) as refused:
            client.chat.completions.create(model="chat-small", messages=HELLO, stream=is_stream)
        assert refused.value.status_code == 402
        assert (refused.value.code, refused.value.body["lifted_by"]) == ("credit_spent", "credit")
    assert running_product.provider.requests == []
