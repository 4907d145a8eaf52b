"""apps/inference/providers/openai_responses/parse.py: a response as OpenAI frames it."""

import pytest

from apps.inference.calls import Broken, Done, Finish, Muddle, Spent, Text, Thought
from apps.inference.providers.frames import END
from apps.inference.providers.openai_responses.parse import parse

USAGE = (
    b'"usage":{"input_tokens":36,"input_tokens_details":{"cached_tokens":12},"output_tokens":87,'
    b'"output_tokens_details":{"reasoning_tokens":64},"total_tokens":123}'
)
WORDS = (
    b'event: response.created\ndata: {"type":"response.created","response":{"id":"resp_1","status":"in_progress"}}\n\n'
    b'event: response.output_item.added\ndata: {"type":"response.output_item.added","output_index":0,'
    b'"item":{"id":"rs_1","type":"reasoning","summary":[]}}\n\n'
    b'data: {"type":"response.reasoning_summary_text.delta","item_id":"rs_1","delta":"Hm."}\r\n\r\n'
    b'data: {"type":"response.function_call_arguments.delta","item_id":"fc_1","delta":"{\\"a\\""}\n\n'
    b'data: {"type":"response.output_text.delta","item_id":"msg_1","delta":"Caf\xc3\xa9 "}\n\n'
    b'data: {"type":"response.output_text.delta","item_id":"msg_1","delta":"\xf0\x9f\x8d\xb0"}\n\n'
    b'data: {"type":"response.output_text.done","item_id":"msg_1","text":"Caf\xc3\xa9 \xf0\x9f\x8d\xb0"}\n\n'
)
STREAM = (
    WORDS + b'event: response.completed\ndata: {"type":"response.completed","response":{"status":"completed",'
    b'"incomplete_details":null,' + USAGE + b"}}\n\n"
)
SPENT = Spent(36, 87, cached_input_tokens=12, reasoning_tokens=64)
PIECES = [Thought("Hm."), Text("Café "), Text("🍰"), Finish("stop"), SPENT, Done()]


def pieces_of(*chunks):
    parser = parse()
    next(parser)
    return [piece for chunk in chunks for piece in parser.send(chunk)]


def incomplete(reason):
    told = b'"incomplete_details":{"reason":"%s"},' % reason.encode()
    return b'data: {"type":"response.incomplete","response":{"status":"incomplete",' + told + USAGE + b"}}\n\n"


def test_gives_the_same_pieces_wherever_the_bytes_are_cut():
    assert [pieces_of(STREAM[:cut], STREAM[cut:]) for cut in range(1, len(STREAM))] == [PIECES] * (len(STREAM) - 1)


def test_a_refusal_is_an_answer():
    assert pieces_of(b'data: {"type":"response.refusal.delta","delta":"I cannot."}\n\n') == [Text("I cannot.")]


@pytest.mark.parametrize(
    ("reason", "told"), [("max_output_tokens", "length"), ("content_filter", "content_filter"), ("new", "new")]
)
def test_an_answer_that_is_not_whole_says_why(reason, told):
    assert pieces_of(incomplete(reason)) == [Finish(told), SPENT, Done()]


def test_a_stream_that_ends_without_its_last_event_is_cut_off():
    assert pieces_of(WORDS, END)[-1] == Broken("cut_off", "the stream ended without a reason")


@pytest.mark.parametrize(
    ("frame", "broken"),
    [
        (b'{"type":"error","code":"rate_limit_exceeded","message":"secret"}', ("overloaded", "rate_limit_exceeded")),
        (b'{"type":"error","error":{"code":"server_error","message":"secret"}}', ("server_error", "server_error")),
        (
            b'{"type":"response.failed","response":{"error":{"code":"server_error","message":"secret"}}}',
            ("server_error", "server_error"),
        ),
        (b'{"type":"response.failed","response":{}}', ("server_error", "error in the stream")),
    ],
)
def test_an_error_keeps_its_code_and_not_its_words(frame, broken):
    assert pieces_of(WORDS, b"data: " + frame + b"\n\n", STREAM) == [*PIECES[:3], Broken(*broken)]


def test_counts_that_make_no_sense_break_nothing():
    told = STREAM.replace(b'"input_tokens":36', b'"input_tokens":-3')
    assert pieces_of(told) == [*PIECES[:4], Muddle(), Done()]


@pytest.mark.parametrize("frame", [b"{", b"7", b'{"choices":[]}', b'{"type":"response.output_text.delta","delta":{}}'])
def test_another_protocol_is_a_broken_stream(frame):
    (broken,) = pieces_of(b"data: " + frame + b"\n\n")
    assert broken.reason == "broken"
