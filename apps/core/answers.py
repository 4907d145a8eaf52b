"""One place turns an error into what the caller understands: a page, our JSON, or OpenAI's error shape."""

from typing import TypeVar

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.utils.deprecation import MiddlewareMixin
from django.utils.translation import gettext as _
from rest_framework import exceptions as drf
from rest_framework.response import Response
from rest_framework.views import exception_handler

from apps.core import clock
from apps.core.errors import CauserieError, Invalid

AnyResponse = TypeVar("AnyResponse", bound=HttpResponseBase)
OPENAI_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "insufficient_quota",
    403: "permission_error",
    404: "invalid_request_error",
    409: "invalid_request_error",
    413: "invalid_request_error",
    429: "rate_limit_error",
}


class CauserieErrorMiddleware(MiddlewareMixin):
    """Answers a rule's error in the shape of the address it happened at; other errors stay unknown to the caller."""

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Called by Django for what a view raised."""
        if isinstance(error, CauserieError):
            return answer_error(request, error)
        return None


def answer_error(request: HttpRequest, error: CauserieError) -> HttpResponse:
    """Say what happened in the shape that belongs to the address."""
    if request.path.startswith("/v1/"):
        response: HttpResponse = JsonResponse(openai_body(error), status=error.status)
    elif request.path.startswith("/api/") or request.headers.get("Accept", "").startswith("application/json"):
        response = JsonResponse(body_of(error), status=error.status)
    else:
        response = render(request, "error.html", {"error": error, "status": error.status}, status=error.status)
    return _with_retry_after(response, error)


def answer_api_error(error: Exception, context: dict[str, object]) -> Response | None:
    """DRF's exception handler: our tree, and DRF's own errors in the same shape."""
    if isinstance(error, CauserieError):
        response = Response(body_of(error), status=error.status)
        return _with_retry_after(response, error)
    response_or_none = exception_handler(error, context)  # type: ignore[arg-type]  # DRF's own context type is private
    if response_or_none is not None and isinstance(error, drf.APIException):
        response_or_none.data = {"error": _drf_error(error)}
    return response_or_none


def body_of(error: CauserieError) -> dict[str, object]:
    """Our JSON: `{"error": {"code", "message", …}}`."""
    return {"error": {"code": error.code, "message": str(error.sentence), **error.details()}}


def openai_body(error: CauserieError) -> dict[str, object]:
    """The shape OpenAI's clients read, with our facts beside it."""
    param = error.field if isinstance(error, Invalid) else None
    kind = OPENAI_TYPES.get(error.status, "server_error")
    return {
        "error": {"message": str(error.sentence), "type": kind, "param": param, "code": error.code, **error.details()}
    }


def _with_retry_after(response: AnyResponse, error: CauserieError) -> AnyResponse:
    wait_s = error.retry_after_s(now=clock.now())
    if wait_s is not None:
        response["Retry-After"] = str(wait_s)
    return response


def _drf_error(error: drf.APIException) -> dict[str, object]:
    if isinstance(error, drf.ValidationError):
        fields = error.detail if isinstance(error.detail, dict) else {}
        field = next(iter(fields), None)
        message = str(_first(error.detail))
        return {"code": "invalid", "message": message, "field": field}
    codes = {401: "unauthenticated", 403: "not_allowed", 404: "not_found"}
    code = codes.get(error.status_code, str(error.default_code))
    message = (
        _("Please sign in first.") if error.status_code in (401, 403) and code != "not_found" else str(error.detail)
    )
    return {"code": code, "message": message}


def _first(detail: object) -> object:
    while isinstance(detail, (dict, list)) and detail:
        detail = next(iter(detail.values())) if isinstance(detail, dict) else detail[0]
    return detail
