"""project/handler.py: one thread for all of a request, whose connection is given back before anything is sent."""

import asyncio
import threading
import time

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.http import HttpResponse, StreamingHttpResponse
from django.urls import path

from project import handler, middleware
from project.handler import OneThreadHandler

seen = []


def plain(request):
    seen.append(("view", threading.current_thread().name))
    return HttpResponse(f"{request.method} {request.body.decode()}")


def stream(_request):
    async def pieces():
        try:
            seen.append("streams")
            yield b"first"
            await asyncio.sleep(60)
        finally:
            seen.append("stream closed")

    return StreamingHttpResponse(pieces())


def thread_name():
    return threading.current_thread().name.encode()


def pages(_request):
    """A stream whose pieces are made on a thread, as the files of reports are."""

    async def pieces():
        yield await sync_to_async(thread_name)()

    response = StreamingHttpResponse(pieces())
    response._resource_closers.append(lambda: seen.append(threading.current_thread().name))
    return response


async def waits(_request):
    seen.append("waits")
    try:
        await asyncio.sleep(60)
    finally:
        seen.append("wait ended")


async def prompt(_request):
    await asyncio.sleep(0)
    return HttpResponse("prompt")


def broken(_request):
    raise KeyError("nobody is told")


urlpatterns = [path(view.__name__, view) for view in (plain, stream, pages, waits, prompt, broken)]


@pytest.fixture(autouse=True)
def here(settings, monkeypatch):
    """Requests go to the views above; what gives connections back is counted, since the test's own must stay."""
    settings.ROOT_URLCONF = __name__
    seen.clear()
    monkeypatch.setattr(handler, "close_old_connections", lambda: seen.append("given back"))


def ask(method, address, *, body=b"", leave_after=None):
    """Send one request; what came back, in ASGI's words. `leave_after` so many messages the client is gone."""
    scope = {"type": "http", "method": method, "path": address, "headers": [(b"host", b"testserver")]}

    async def talk():
        client = ApplicationCommunicator(OneThreadHandler(), scope)
        await client.send_input({"type": "http.request", "body": body})
        count = 2 if leave_after is None else leave_after
        messages = [await client.receive_output(5) for _ in range(count)]
        if leave_after is not None:
            await asyncio.to_thread(wait_until_it_is_held)
            await client.send_input({"type": "http.disconnect"})
        await client.wait(5)
        return messages

    return asyncio.run(talk())


def wait_until_it_is_held():
    """Until the view, or the stream that it gave, waits for something."""
    end = time.monotonic() + 5
    while not {"waits", "streams"} & set(seen):
        assert time.monotonic() < end, "nothing began"
        time.sleep(0.01)


def test_middleware_and_view_run_on_one_thread_of_the_pool(monkeypatch):
    begin = middleware._begin
    monkeypatch.setattr(
        middleware, "_begin", lambda request: seen.append(("chain", threading.current_thread().name)) or begin(request)
    )
    start, body = ask("GET", "/plain", body=b"sent")
    assert (start["status"], body["body"]) == (200, b"GET sent")
    assert seen == [("chain", "request_0"), ("view", "request_0"), "given back"]


def test_a_connection_is_given_back_before_the_stream_begins():
    _start, body = ask("GET", "/stream", leave_after=2)
    assert body["body"] == b"first"
    assert seen == ["given back", "streams", "stream closed"]


def test_a_stream_is_closed_on_the_thread_that_made_its_pieces():
    _start, body = ask("GET", "/pages")
    assert seen == ["given back", body["body"].decode()]


def test_who_leaves_ends_what_is_done_for_them():
    assert ask("GET", "/waits", leave_after=0) == []
    assert seen == ["waits", "wait ended", "given back"]


def test_a_view_of_the_event_loop_is_waited_for():
    start, body = ask("GET", "/prompt")
    assert (start["status"], body["body"], seen) == (200, b"prompt", ["given back"])


def test_an_error_nobody_knows_is_a_page_without_its_text(settings):
    settings.DEBUG_PROPAGATE_EXCEPTIONS = False
    start, body = ask("GET", "/broken")
    assert start["status"] == 500
    assert b"nobody is told" not in body["body"]
    assert seen == ["given back"]


def test_a_file_is_served_from_the_event_loop():
    start, body = ask("GET", "/static/reporting/reports.css")
    assert (start["status"], dict(start["headers"])[b"Content-Type"]) == (200, b'text/css; charset="utf-8"')
    assert b"{" in body["body"]
