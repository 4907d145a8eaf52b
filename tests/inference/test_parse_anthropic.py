"""apps/inference/providers/anthropic/parse.py: a message with thinking and a tool."""

import pytest

from apps.inference.calls import Broken, Done, Finish, Muddle, Spent, Text, Thought
from apps.inference.providers.anthropic.parse import parse
from apps.inference.providers.frames import END

START = (
    b'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant",'
    b'"content":[],"model":"claude","stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":25,'
    b'"cache_creation_input_tokens":10,"cache_read_input_tokens":100,"output_tokens":1}}}\n\n'
)
STREAM = (
    START + b'event: content_block_start\ndata: {"type":"content_block_start","index":0,'
    b'"content_block":{"type":"thinking","thinking":"","signature":""}}\n\n'
    b'event: ping\ndata: {"type": "ping"}\n\n'
    b"event: content_block_delta\r\n"
    b'data: {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Hm."}}\r\n\r\n'
    b'data: {"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"EqQBCg"}}\n\n'
    b'data: {"type":"content_block_stop","index":0}\n\n'
    b'data: {"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}\n\n'
    b'data: {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"Caf\xc3\xa9 "}}\n\n'
    b'data: {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"\xf0\x9f\x8d\xb0"}}\n\n'
    b'data: {"type":"content_block_stop","index":1}\n\n'
    b'data: {"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"toolu_1","name":"w",'
    b'"input":{}}}\n\n'
    b'data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{\\"a\\""}}\n\n'
    b'data: {"type":"message_delta","delta":{"stop_reason":"max_tokens","stop_sequence":null},'
    b'"usage":{"output_tokens":15}}\n\n'
    b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
)
INPUT = {"cached_input_tokens": 100, "cache_write_tokens": 10}
PIECES = [
    Spent(135, 1, **INPUT),
    Thought("Hm."),
    Text("Café "),
    Text("🍰"),
    Finish("length"),
    Spent(135, 15, **INPUT),
    Done(),
]


def pieces_of(*chunks):
    parser = parse()
    next(parser)
    return [piece for chunk in chunks for piece in parser.send(chunk)]


def delta(reason):
    return b'data: {"type":"message_delta","delta":{"stop_reason":"%s"}}\n\n' % reason.encode()


def error(kind):
    return b'data: {"type":"error","error":{"type":"%s","message":"you asked: secret"}}\n\n' % kind.encode()


def test_gives_the_same_pieces_wherever_the_bytes_are_cut():
    assert [pieces_of(STREAM[:cut], STREAM[cut:]) for cut in range(1, len(STREAM))] == [PIECES] * (len(STREAM) - 1)


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("tool_use", "tool_calls"),
        ("refusal", "content_filter"),
        ("model_context_window_exceeded", "length"),
        ("pause_turn", "pause_turn"),
    ],
)
def test_reasons_are_told_in_openais_words(reason, told):
    assert pieces_of(delta(reason), END) == [Finish(told), Done()]


def test_a_stream_cut_after_some_text_is_cut_off_and_its_input_is_known():
    assert pieces_of(STREAM[: STREAM.index(b'data: {"type":"message_delta"')], END) == [
        *PIECES[:4],
        Broken("cut_off", "the stream ended without a reason"),
    ]


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("overloaded_error", "overloaded"), ("rate_limit_error", "overloaded"), ("api_error", "server_error")],
)
def test_an_error_in_the_middle_keeps_its_kind_and_not_its_words(kind, reason):
    assert pieces_of(START, error(kind), STREAM) == [PIECES[0], Broken(reason, kind)]


def test_counts_that_make_no_sense_break_nothing():
    assert pieces_of(START.replace(b'"input_tokens":25', b'"input_tokens":-1')) == [Muddle()]


@pytest.mark.parametrize(
    "frame",
    [b"{", b"[]", b'{"kind":1}', b'{"type":"message_start"}', b'{"type":"content_block_delta","delta":{"text":7}}'],
)
def test_another_protocol_is_a_broken_stream(frame):
    (broken,) = pieces_of(b"data: " + frame + b"\n\n")
    assert broken.reason == "broken"


def test_a_kind_of_event_that_is_new_is_passed_over():
    assert pieces_of(b'data: {"type":"content_block_vision","x":1}\n\n') == []
