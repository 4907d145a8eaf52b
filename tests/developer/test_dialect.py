import json

import pytest

from apps.core.errors import Invalid, TooLarge
from apps.developer import dialect
from apps.developer.dialect import ChatRequest

HELLO = [{"role": "user", "content": "Hello"}]


def read(**body):
    return dialect.read_request(json.dumps({"model": "chat-small", "messages": HELLO, **body}).encode())


def refusal(body):
    with pytest.raises(Invalid) as refused:
        dialect.read_request(body if isinstance(body, bytes) else json.dumps(body).encode())
    return refused.value.field, refused.value.code, str(refused.value.sentence)


def refusal_of(**body):
    return refusal({"model": "chat-small", "messages": HELLO, **body})


def test_reads_all_that_is_supported():
    request = read(
        stream=True,
        stream_options={"include_usage": True},
        temperature=0,
        top_p=0.5,
        max_completion_tokens=7,
        stop=["a", "b"],
        n=1,
        seed=-3,
        user="u1",
    )
    assert request == ChatRequest(
        model="chat-small",
        messages=({"role": "user", "content": "Hello"},),
        is_stream=True,
        has_usage_chunk=True,
        temperature=0,
        top_p=0.5,
        max_tokens=7,
        stop=("a", "b"),
        seed=-3,
    )


def test_a_stored_request_reads_back_the_same():
    request = read(stop="end", temperature=0.2)
    assert ChatRequest.from_json(json.loads(json.dumps(request.as_json()))) == request


def test_null_is_as_good_as_absent():
    assert read(temperature=None, tools=None, stream=None, stop=None, n=None) == read()


def test_what_asks_for_nothing_may_be_sent():
    assert read(presence_penalty=0, tools=[], response_format={"type": "text"}, store=False, logprobs=False) == read()


def test_developer_messages_are_system_messages_and_text_parts_are_joined():
    parts = [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]
    request = read(messages=[{"role": "developer", "content": "Be brief."}, {"role": "user", "content": parts}])
    assert request.messages == (
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "one\ntwo"},
    )


def test_an_answer_of_ours_may_be_sent_back_as_the_client_has_it():
    echoed = {"role": "assistant", "content": "Hi", "refusal": None, "tool_calls": None, "annotations": []}
    assert read(messages=[*HELLO, echoed]).messages[1] == {"role": "assistant", "content": "Hi"}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"{", (None, "invalid_json", "The body is not valid JSON.")),
        (b"\xff", (None, "invalid_json", "The body is not valid JSON.")),
        (b"[]", (None, "invalid_json", "The body must be a JSON object.")),
        (b"{}", ("model", "invalid_value", "model must be a text.")),
    ],
)
def test_a_body_that_is_no_request(body, expected):
    assert refusal(body) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"model": 3}, ("model", "invalid_value", "model must be a text.")),
        (
            {"messages": []},
            ("messages", "invalid_value", "messages must be a list with at least one message."),
        ),
        (
            {"messages": ["Hello"]},
            ("messages[0]", "invalid_value", "Each message must be an object with role and content."),
        ),
        (
            {"messages": [*HELLO, {"role": "tool", "content": "x"}]},
            ("messages[1].role", "invalid_value", "role must be one of: system, developer, user, assistant."),
        ),
        (
            {"messages": [{"role": "user"}]},
            ("messages[0].content", "invalid_value", "content must be text, or a list of text parts."),
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]},
            (
                "messages[0].content[0]",
                "unsupported_value",
                "Only text parts are supported here yet: {“type”: “text”, “text”: …}.",
            ),
        ),
        (
            {"messages": [{"role": "assistant", "content": "x", "tool_calls": [{"id": "1"}]}]},
            (
                "messages[0].tool_calls",
                "unsupported_parameter",
                "“tool_calls” in a message is not supported here yet.",
            ),
        ),
        ({"stream": "yes"}, ("stream", "invalid_value", "stream must be true or false.")),
        (
            {"stream_options": {"include_usage": True}},
            ("stream_options", "invalid_value", "stream_options is only allowed when stream is true."),
        ),
        (
            {"stream": True, "stream_options": {"include_usage": 1.5}},
            ("stream_options.include_usage", "invalid_value", "include_usage must be true or false."),
        ),
        ({"temperature": 2.1}, ("temperature", "invalid_value", "temperature must be a number from 0 to 2.")),
        ({"temperature": True}, ("temperature", "invalid_value", "temperature must be a number from 0 to 2.")),
        ({"top_p": "1"}, ("top_p", "invalid_value", "top_p must be a number from 0 to 1.")),
        (
            {"max_tokens": 0},
            ("max_tokens", "invalid_value", "max_tokens must be a whole number from 1 to 2147483648."),
        ),
        (
            {"max_tokens": 1, "max_completion_tokens": 2},
            ("max_tokens", "invalid_value", "Give max_completion_tokens or max_tokens, not both."),
        ),
        (
            {"stop": ["a", "b", "c", "d", "e"]},
            ("stop", "invalid_value", "stop must be a text, or a list of at most 4 texts."),
        ),
        ({"stop": [""]}, ("stop", "invalid_value", "stop must be a text, or a list of at most 4 texts.")),
        (
            {"messages": [{"role": "user", "content": "a\x00b"}]},
            ("messages[0].content", "invalid_value", "A text cannot contain the character NUL."),
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "text", "text": "\x00"}]}]},
            ("messages[0].content[0]", "invalid_value", "A text cannot contain the character NUL."),
        ),
        ({"stop": "\x00"}, ("stop", "invalid_value", "A text cannot contain the character NUL.")),
        ({"n": 2}, ("n", "unsupported_value", "Only one choice is made: n must be 1.")),
        ({"user": 5}, ("user", "invalid_value", "user must be a text.")),
        (
            {"tools": [{"type": "function"}]},
            ("tools", "unsupported_parameter", "The parameter “tools” is not supported here yet."),
        ),
        (
            {"response_format": {"type": "json_object"}},
            ("response_format", "unsupported_parameter", "The parameter “response_format” is not supported here yet."),
        ),
        (
            {"logprobs": 0},
            ("logprobs", "unsupported_parameter", "The parameter “logprobs” is not supported here yet."),
        ),
        ({"temprature": 1}, ("temprature", "unknown_parameter", "The parameter “temprature” is not known.")),
    ],
)
def test_refuses_by_name(changes, expected):
    assert refusal_of(**changes) == expected


def test_a_body_beyond_one_mebibyte_is_too_large():
    with pytest.raises(TooLarge, match="larger than 1 MiB"):
        dialect.read_request(b" " * (1024 * 1024 + 1))
