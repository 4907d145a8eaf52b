"""How a request comes from the event loop to its view: by one change of thread, and back by one.

Django's own handler changes for each middleware, each signal and the end of the response, on a thread that it makes for
the request alone: 25 changes, a third of what a question cost. Here middleware and view run on one thread of a pool,
whose database connection is given back before anything is sent: a stream holds neither.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Any, TypeAlias

from asgiref.sync import sync_to_async
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, ASGIRequest, get_script_prefix
from django.core.signals import request_started
from django.db import close_old_connections
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import set_script_prefix

MOST_THREADS = 1000  # made when needed; who calls the API without streaming holds one until the answer is there
Message: TypeAlias = Mapping[str, Any]  # Any: ASGI's own shape
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]


class OneThreadHandler(ASGIHandler):
    """Django's handler with another way of using threads; what it answers is the same."""

    def __init__(self) -> None:
        super().__init__()
        threads = ThreadPoolExecutor(MOST_THREADS, thread_name_prefix="request")
        self._respond = sync_to_async(self._respond_on_a_thread, thread_sensitive=False, executor=threads)

    def load_middleware(self, is_async: bool = False) -> None:  # noqa: FBT001, FBT002 Django's signature
        """Called by Django: the chain as for WSGI, all of it on the calling thread, whatever is asked for."""
        super().load_middleware(is_async=False)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        """Called by Django's `run_get_response`."""
        return await self._respond(request)

    async def handle(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request; what is done for a client that leaves is cancelled."""
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        try:
            await self._handle(scope, body, receive, send)
        finally:
            body.close()

    async def _handle(self, scope: Message, body: IO[bytes], receive: Receive, send: Send) -> None:
        set_script_prefix(get_script_prefix(scope))
        request, refusal = self.create_request(scope, body)
        if request is None:
            assert refusal is not None  # noqa: S101 one of the two is there
            await self.send_response(refusal, send)
            return
        answering = asyncio.create_task(self._answer(request, send))
        leaving = asyncio.create_task(self.listen_for_disconnect(receive))
        await asyncio.wait((answering, leaving), return_when=asyncio.FIRST_COMPLETED)
        for task in (answering, leaving):
            task.cancel()
        outcome, _left = await asyncio.gather(answering, leaving, return_exceptions=True)
        if isinstance(outcome, Exception):
            raise outcome

    async def _answer(self, request: ASGIRequest, send: Send) -> None:
        response = await self.run_get_response(request)
        try:
            await self.send_response(response, send)
        finally:
            if response.streaming:  # on the thread on which its pieces were made, if any was: its connection goes back
                await sync_to_async(response.close)()
            else:
                response.close()

    def _respond_on_a_thread(self, request: HttpRequest) -> HttpResponseBase:
        request_started.send(sender=type(self), scope=getattr(request, "scope", None))
        try:
            return self.get_response(request)
        finally:
            close_old_connections()
