"""Gives each request an id that every log line of it carries."""

import re
from collections.abc import Awaitable, Callable
from inspect import iscoroutinefunction, markcoroutinefunction

import structlog
from django.http import HttpRequest, HttpResponseBase

from apps.core import ids

GIVEN = re.compile(r"[A-Za-z0-9-]{8,64}")


class RequestIdMiddleware:
    """Keeps the caller's X-Request-ID when it looks like one, else makes one; answers with it."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if iscoroutinefunction(self):
            return self._answer_async(request)
        request_id = self._begin(request)
        response = self.get_response(request)
        assert isinstance(response, HttpResponseBase)  # noqa: S101 the sync chain gives no awaitable
        response["X-Request-ID"] = request_id
        return response

    async def _answer_async(self, request: HttpRequest) -> HttpResponseBase:
        request_id = self._begin(request)
        response = self.get_response(request)
        if not isinstance(response, HttpResponseBase):
            response = await response
        response["X-Request-ID"] = request_id
        return response

    def _begin(self, request: HttpRequest) -> str:
        given = request.headers.get("X-Request-ID", "")
        request_id = given if GIVEN.fullmatch(given) else str(ids.uuid7())
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        return request_id
