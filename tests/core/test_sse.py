from apps.core import sse


def test_a_frame_names_its_event_and_where_it_stands():
    assert sse.frame("run.delta", {"text": "Bon\njour"}, event_id="7-0") == (
        b'id: 7-0\nevent: run.delta\ndata: {"text":"Bon\\njour"}\n\n'
    )


def test_a_frame_without_id_leaves_the_last_one_in_force():
    assert sse.frame("run.queued", {"position": 2}) == b'event: run.queued\ndata: {"position":2}\n\n'


def test_json_passes_as_it_is():
    assert sse.frame("run.delta", b'{"text":"a"}') == b'event: run.delta\ndata: {"text":"a"}\n\n'


def test_openai_frames_have_no_name_and_end_with_done():
    assert sse.data_frame({"id": "x"}) == b'data: {"id":"x"}\n\n'
    assert sse.data_frame("[DONE]") == b"data: [DONE]\n\n"


def test_a_heartbeat_is_a_comment():
    assert sse.HEARTBEAT.startswith(b":")
    assert sse.HEARTBEAT.endswith(b"\n\n")


def test_nothing_on_the_way_may_keep_a_stream():
    assert sse.HEADERS["X-Accel-Buffering"] == "no"
    assert sse.HEADERS["Cache-Control"] == "no-store"
