"""What every request passes: an id for its log lines, a count, and what a browser may load for the page."""

import re
import time
from collections.abc import Awaitable
from typing import cast

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils.deprecation import MiddlewareMixin
from django.utils.translation import gettext as _

from apps.core import answers, ids
from apps.core.errors import Invalid
from project import metrics

GIVEN = re.compile(r"[A-Za-z0-9-]{8,64}")


class RequestMiddleware(MiddlewareMixin):
    """Keeps the caller's X-Request-ID when it looks like one, else makes one; counts the answer; sets its policy."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self.async_mode:
            return self.__acall__(request)
        request_id, begun = _begin(request), time.monotonic()
        response = _refuse(request) or cast(HttpResponseBase, self.get_response(request))
        return _finish(request, response, request_id, begun)

    async def __acall__(self, request: HttpRequest) -> HttpResponseBase:
        request_id, begun = _begin(request), time.monotonic()
        response = _refuse(request) or await cast(Awaitable[HttpResponseBase], self.get_response(request))
        return _finish(request, response, request_id, begun)


def _begin(request: HttpRequest) -> str:
    given = request.headers.get("X-Request-ID", "")
    request_id = given if GIVEN.fullmatch(given) else str(ids.uuid7())
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=request_id)
    return request_id


def _refuse(request: HttpRequest) -> HttpResponseBase | None:
    """An address with NUL in it asks for nothing that could be there: no database column takes that character."""
    if "\x00" in request.path or "%00" in request.META.get("QUERY_STRING", ""):
        return answers.answer_error(request, Invalid(_("This request makes no sense to us.")))
    return None


def _finish(request: HttpRequest, response: HttpResponseBase, request_id: str, begun: float) -> HttpResponseBase:
    metrics.count_request(request, response, time.monotonic() - begun)
    response["X-Request-ID"] = request_id
    response["Permissions-Policy"] = "camera=(), geolocation=(), payment=(), usb=()"
    if response.get("Content-Type", "").startswith("text/html"):
        is_admin = request.path.startswith("/admin/")
        policy = settings.ADMIN_CONTENT_SECURITY_POLICY if is_admin else settings.CONTENT_SECURITY_POLICY
        response.setdefault("Content-Security-Policy", policy)  # a page may ask for a stricter one
    return response
