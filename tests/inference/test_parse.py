"""apps/inference/providers/openai/parse.py, stepped by hand."""

import pytest

from apps.inference.calls import Broken, Done, Finish, Muddle, Spent, Text, Thought
from apps.inference.providers.frames import END
from apps.inference.providers.openai.parse import parse

STREAM = (
    b": a comment\r\n\r\n"
    b'data: {"choices":[{"delta":{"role":"assistant","content":""}}]}\r\n\r\n'
    b'data: {"choices":[{"delta":{"reasoning_content":"Hm."}}]}\n\n'
    b"event: message\nid: 7\n"
    b'data: {"choices":[{"delta":{"content":"Caf\xc3\xa9 \xf0\x9f\x8d\xb0"}}]}\n\n'
    b'data: {"choices":\ndata: [{"delta":{"content":" twice"},"finish_reason":null}]}\n\n'
    b'data:{"choices":[{"delta":{},"finish_reason":"length"}]}\n\n'
    b'data: {"choices":[],"usage":{"prompt_tokens":11,"completion_tokens":3}}\n\n'
    b"data: [DONE]\n\n"
)
PIECES = [Thought("Hm."), Text("Café 🍰"), Text(" twice"), Finish("length"), Spent(11, 3), Done()]


def pieces_of(*chunks):
    parser = parse()
    next(parser)
    return [piece for chunk in chunks for piece in parser.send(chunk)]


def test_reads_comments_both_line_ends_and_joined_data_lines():
    assert pieces_of(STREAM) == PIECES


@pytest.mark.parametrize("cut", range(1, len(STREAM)))
def test_gives_the_same_pieces_wherever_the_bytes_are_cut(cut):
    assert pieces_of(STREAM[:cut], STREAM[cut:]) == PIECES


def test_gives_the_same_pieces_byte_by_byte():
    assert pieces_of(*(STREAM[i : i + 1] for i in range(len(STREAM)))) == PIECES


def test_gives_each_piece_as_soon_as_its_frame_is_complete():
    parser = parse()
    next(parser)
    assert parser.send(b'data: {"choices":[{"delta":{"content":"one"}}]}\n') == []
    assert parser.send(b"\n") == [Text("one")]


def test_gives_nothing_after_the_last_word():
    assert pieces_of(b"data: [DONE]\n\n", b'data: {"choices":[{"delta":{"content":"late"}}]}\n\n', END) == [Done()]


def test_an_end_without_a_last_word_is_fine_when_the_model_gave_its_reason():
    assert pieces_of(b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}', END) == [Finish("stop"), Done()]


def test_an_end_without_any_reason_is_a_cut_off_answer():
    pieces = pieces_of(b'data: {"choices":[{"delta":{"content":"half"}}]}\n\n', END)
    assert pieces[0] == Text("half")
    assert pieces[1].reason == "cut_off"


@pytest.mark.parametrize(
    "frame",
    [
        b"{not json",
        b'"a string"',
        b"[1, 2]",
        b'{"choices": 7}',
        b'{"choices": [7]}',
        b'{"choices": [{"delta": {"content": 7}}]}',
        b'{"choices": [{"delta": {"content": "\xff"}}]}',
    ],
)
def test_a_broken_frame_ends_the_stream_and_keeps_what_came_before(frame):
    good = b'data: {"choices":[{"delta":{"content":"kept"}}]}\n\n'
    pieces = pieces_of(good + b"data: " + frame + b"\n\n" + good)
    assert pieces[0] == Text("kept")
    assert isinstance(pieces[1], Broken)
    assert pieces[1].reason == "broken"
    assert len(pieces) == 2


@pytest.mark.parametrize(
    "usage", [b'{"prompt_tokens": -1, "completion_tokens": 0}', b'{"prompt_tokens": 3}', b"[7]", b'"x"']
)
def test_a_report_of_tokens_that_makes_no_sense_breaks_nothing(usage):
    good = b'data: {"choices":[{"delta":{"content":"kept"}}]}\n\n'
    told = b'data: {"choices":[{"delta":{"content":"too"}}],"usage":' + usage + b"}\n\n"
    assert pieces_of(good + told + good) == [Text("kept"), Text("too"), Muddle(), Text("kept")]


def test_tokens_are_read_by_the_servers_own_convention():
    parser = parse("anthropic")
    next(parser)
    frame = b'data: {"choices":[],"usage":{"input_tokens":5,"cache_read_input_tokens":90,"output_tokens":3}}\n\n'
    assert parser.send(frame) == [Spent(95, 3, cached_input_tokens=90)]


def test_an_error_told_in_the_stream_keeps_its_code_and_not_its_words():
    pieces = pieces_of(b'data: {"error":{"message":"your prompt was: secret","code":"overloaded"}}\n\n')
    assert pieces == [Broken("server_error", "overloaded")]


def test_a_line_without_end_is_not_gathered_for_ever():
    assert pieces_of(b"data: " + b"x" * (1024 * 1024 + 1))[0].reason == "broken"


def test_a_null_character_does_not_reach_the_database():
    assert pieces_of(b'data: {"choices":[{"delta":{"content":"a\\u0000b"}}]}\n\n') == [Text("a\ufffdb")]
