"""The stream of a run's events over HTTP."""

import asyncio
import threading

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connections
from django.test import AsyncClient
from redis import Redis

from apps.chat import replies
from apps.chat.replies import Draft
from apps.inference import readers, relay
from tests import build
from tests.support.provider import GREETING_TEXT

pytestmark = pytest.mark.django_db(transaction=True)
NOW = build.NOW


@pytest.fixture
def sent(ana, provider):
    return replies.send(ana, Draft("Why is the sky blue?"), now=NOW)


def get(user, path, **headers):
    """The whole stream: status, headers and bytes."""

    async def get():
        client = AsyncClient()
        if user is not None:
            await client.aforce_login(user)
        try:
            response = await client.get(path, headers=headers)
            parts = [part async for part in response] if response.streaming else [response.content]
            return response, b"".join(parts).decode()
        finally:
            await readers.close()
            await sync_to_async(connections.close_all)()

    return asyncio.run(get())


def events_path(sent):
    return f"/api/v1/runs/{sent.reply.run.pk}/events"


def test_the_answer_is_streamed_from_its_beginning_to_its_end(ana, sent, answer):
    def make():
        answer(sent.reply.run)
        connections.close_all()

    making = threading.Thread(target=make)
    making.start()
    response, body = get(ana, events_path(sent))
    making.join()
    assert response["Content-Type"] == "text/event-stream"
    assert (response["Cache-Control"], response["X-Accel-Buffering"]) == ("no-store", "no")
    frames = body.split("\n\n")[:-1]
    assert frames[0] == 'id: 1-1\nevent: run.started\ndata: {"model":"chat-small","backend":"local"}'
    assert frames[-1].split("\n")[1] == "event: run.finished"
    pieces = [frame.split('"text":"')[1].removesuffix('"}') for frame in frames if "run.delta" in frame]
    assert "".join(pieces) == GREETING_TEXT


def test_a_client_that_comes_back_goes_on_where_it_was(ana, sent, answer):
    answer(sent.reply.run)
    _, whole = get(ana, events_path(sent))
    _, rest = get(ana, events_path(sent), last_event_id="1-1")
    assert rest
    assert whole == whole.split("\n\n")[0] + "\n\n" + rest


def test_when_the_log_is_gone_there_is_a_snapshot_and_the_end(ana, sent, answer):
    answer(sent.reply.run)
    with Redis.from_url(settings.VALKEY_URL) as valkey:
        valkey.delete(relay.log_key(sent.reply.run.pk))
    _, body = get(ana, events_path(sent))
    assert body == (
        f'event: run.snapshot\ndata: {{"text":"{GREETING_TEXT}","reasoning":""}}\n\n'
        'event: run.finished\ndata: {"usage":{"input_tokens":10,"output_tokens":6,"provenance":"reported",'
        '"cached_input_tokens":0,"reasoning_tokens":0},"finish_reason":"stop"}\n\n'
    )


def test_a_strangers_run_is_not_there(mallory, sent):
    response, body = get(mallory, events_path(sent))
    assert response.status_code == 404
    assert "sky" not in body


def test_nobody_is_asked_to_sign_in(sent):
    assert get(None, events_path(sent))[0].status_code == 401


def test_an_id_that_we_never_gave_is_refused(ana, sent):
    assert get(ana, events_path(sent), last_event_id="'; drop")[0].status_code == 400


def test_events_are_only_read(ana, at_anas, sent):
    assert at_anas.post(events_path(sent)).status_code == 405
