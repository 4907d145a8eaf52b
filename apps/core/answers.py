"""One place turns an error into what the caller understands: a page, our JSON, or OpenAI's error shape."""

from typing import Any, TypeVar

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.utils.deprecation import MiddlewareMixin
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from rest_framework import exceptions as drf
from rest_framework.response import Response
from rest_framework.views import exception_handler

from apps.core import clock
from apps.core.errors import CauserieError, Invalid, Missing, NotAllowed, Unauthenticated

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
# What Django's and REST framework's own exceptions say in our words.
SAME: tuple[tuple[tuple[type[Exception], ...], type[CauserieError], Promise], ...] = (
    ((Http404, drf.NotFound), Missing, _("There is nothing at this address.")),
    ((drf.NotAuthenticated, drf.AuthenticationFailed), Unauthenticated, _("Please sign in first.")),
    ((PermissionDenied, drf.PermissionDenied), NotAllowed, _("You may not do this.")),
    ((drf.ParseError,), Invalid, _("The body is not valid JSON.")),
)


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
    return _with_headers(response, error)


def answer_api_error(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler: our tree, and DRF's and Django's own errors in the same shape."""
    ours = error if isinstance(error, CauserieError) else _ours(error)
    if ours is not None:
        return _with_headers(Response(body_of(ours), status=ours.status), ours)
    response = exception_handler(error, context)
    if response is not None and isinstance(error, drf.APIException):
        response.data = {"error": {"code": error.default_code, "message": str(error.detail)}}
    return response


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


def _with_headers(response: AnyResponse, error: CauserieError) -> AnyResponse:
    """When to come back, and what the error itself wants to be said: one place for pages, JSON and the API."""
    for name, value in error.headers.items():
        response[name] = value
    wait_s = error.retry_after_s(now=clock.now())
    if wait_s is not None:
        response["Retry-After"] = str(wait_s)
    return response


def _ours(error: Exception) -> CauserieError | None:
    """The leaf of our tree that says the same, if there is one."""
    if isinstance(error, drf.ValidationError):
        field = next(iter(error.detail), None) if isinstance(error.detail, dict) else None
        return Invalid(str(_first(error.detail)), field=field)
    if isinstance(error, drf.PermissionDenied) and str(error.detail).startswith("CSRF"):
        return NotAllowed(_("This page is out of date. Please load it again."), code="form_expired")
    return next((leaf(sentence) for theirs, leaf, sentence in SAME if isinstance(error, theirs)), None)


def _first(detail: object) -> object:
    while isinstance(detail, (dict, list)) and detail:
        detail = next(iter(detail.values())) if isinstance(detail, dict) else detail[0]
    return detail
