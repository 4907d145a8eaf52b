"""The edge of the API: one view parses, checks, runs one operation in one transaction, and answers."""

import json
import logging
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass

from django.core.exceptions import RequestDataTooBig
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from apps.stripe_sandbox import (
    advancing,
    authentication,
    calls,
    clock,
    dashboard,
    encoding,
    expansion,
    faults,
    idempotency,
    ids,
    routes,
    validation,
)
from apps.stripe_sandbox.documents import API_VERSION, Document, Json, public
from apps.stripe_sandbox.errors import StripeError, invalid
from apps.stripe_sandbox.operations import Operation

logger = logging.getLogger(__name__)
PLANTED = {
    "http_429": (429, "invalid_request_error", "rate_limit", "Too many requests hit the API too quickly."),
    "http_409_lock": (409, "invalid_request_error", "lock_timeout", "This object cannot be accessed right now."),
    "http_500": (500, "api_error", None, "An unknown error occurred."),
}


@dataclass(frozen=True)
class Answer:
    status: int
    body: str
    is_replayed: bool = False


@csrf_exempt
def answer_call(request: HttpRequest) -> HttpResponse:
    request_id = ids.new("req")
    unauthorized = False
    try:
        authentication.require_test_key(request.headers.get("Authorization", ""))
        _meet_faults(request, ("timeout_before", "http_429", "http_409_lock"))
        _meet_dashboard("before", request)
        answer = _run(request, request_id)
    except StripeError as error:
        answer, unauthorized = Answer(error.status, _as_text(error)), authentication.is_unauthorized(error)
    _meet_dashboard("after", request)
    after = faults.take("timeout_after", *_subjects(request))
    if after:
        _hang(request, after.params.get("seconds", 30))
    response = HttpResponse(answer.body, status=answer.status, content_type="application/json")
    response["Request-Id"] = request_id
    response["Stripe-Version"] = request.headers.get("Stripe-Version", API_VERSION)
    if answer.is_replayed:
        response["Idempotent-Replayed"] = "true"
    if "Idempotency-Key" in request.headers:
        response["Idempotency-Key"] = request.headers["Idempotency-Key"]
    if unauthorized:
        response["WWW-Authenticate"] = 'Bearer realm="Stripe"'
    return response


def _run(request: HttpRequest, request_id: str) -> Answer:
    method = str(request.method)
    operation, keys = routes.find_operation(method, request.path)
    raw = _read(request)
    fingerprint = json.dumps([method, request.path, encoding.encode(raw)])
    paths = _wanted(raw.get("expand", {}))
    params = _read_parameters(operation, raw)
    if advancing.is_lagging():
        advancing.settle()
        if method != "GET":
            advancing.require_standing(*keys, params.get("customer"))
    key = request.headers.get("Idempotency-Key", "") if method == "POST" else ""

    def act() -> tuple[int, str]:
        token = calls.current.set(calls.Call(request_id, key or None))
        try:
            return _attempt(request, lambda: _perform(operation, keys, params, paths))
        finally:
            calls.current.reset(token)

    if not key:
        return Answer(*act())
    return Answer(*idempotency.answer_once(key, fingerprint, act))


def _attempt(request: HttpRequest, perform: Callable[[], Document]) -> tuple[int, str]:
    """Run inside one transaction; a declined charge keeps its rows, every other refusal undoes them."""
    refusal = None
    try:
        _meet_faults(request, ("slow", "http_500"))
        with nullcontext() if request.method == "GET" else transaction.atomic():
            try:
                body = perform()
            except StripeError as error:
                if not error.keeps_rows:
                    raise
                refusal = error
    except StripeError as error:
        refusal = error
    except Exception:
        logger.exception("%s %s failed", request.method, request.path)
        refusal = StripeError(500, {"type": "api_error", "message": "The sandbox failed; its log says why."})
    if refusal:
        return refusal.status, _as_text(refusal)
    return 200, json.dumps(body, indent=2)


def _perform(operation: Operation, keys: tuple[str, ...], params: Document, paths: list[str]) -> Document:
    expanded = expansion.apply(public(operation.run(*keys, params=params)), paths)
    validation.check(expanded, f"{operation.method} {operation.pattern}")
    return expanded


def _read(request: HttpRequest) -> Document:
    """Read what a call says: v1 a form, or the query of GET and DELETE; v2 JSON."""
    if request.method != "POST":
        return encoding.decode(request.META.get("QUERY_STRING", ""))
    text = _body(request)
    if not request.path.startswith("/v2/"):
        return encoding.decode(text)
    try:
        found = json.loads(text or "{}")
    except ValueError:
        raise invalid("The request body is not JSON.") from None
    if not isinstance(found, dict):
        raise invalid("The request body must be a JSON object.")
    return found


def _wanted(expand: Json) -> list[str]:
    return [str(path) for path in (expand.values() if isinstance(expand, dict) else [expand])]


def _read_parameters(operation: Operation, raw: Document) -> Document:
    """Give what a call is told; whatever Stripe would refuse is refused, and written down."""
    method, pattern = operation.method, operation.pattern
    objections = validation.check_call(method, pattern, raw)
    try:
        params: Document = operation.reads({key: value for key, value in raw.items() if key != "expand"}, "")
    except StripeError as refusal:
        if not objections:
            validation.note_refusal(refusal, method, pattern)
        raise
    if objections:
        raise objections[0].as_error()
    return params


def _body(request: HttpRequest) -> str:
    try:
        return request.body.decode()
    except UnicodeDecodeError:
        raise invalid("The request body is not UTF-8.") from None
    except RequestDataTooBig:
        raise invalid("The request body is too large.", status=413) from None


def _as_text(error: StripeError) -> str:
    return json.dumps({"error": error.error}, indent=2)


def _subjects(request: HttpRequest) -> tuple[str, str | None]:
    """Say what a fault may name in a call: its method and path, or its customer."""
    given = request.POST if request.method == "POST" else request.GET
    return f"{request.method} {request.path}", given.get("customer")


def _meet_dashboard(when: str, request: HttpRequest) -> None:
    try:
        with transaction.atomic():
            dashboard.meet_fault(when, *_subjects(request))
    except StripeError:
        logger.exception("What was to be done as if in the Dashboard was refused")


def _meet_faults(request: HttpRequest, kinds: tuple[str, ...]) -> None:
    for kind in kinds:
        fault = faults.take(kind, *_subjects(request))
        if fault and kind == "slow":
            clock.pause(fault.params.get("ms", 500) / 1000)
        elif fault and kind == "timeout_before":
            _hang(request, fault.params.get("seconds", 30))
            raise StripeError(500, {"type": "api_error", "message": "This answer is never sent."})
        elif fault:
            status, type_, code, message = PLANTED[kind]
            raise StripeError(status, {"type": type_, "code": code, "message": message})


def _hang(request: HttpRequest, seconds: float) -> None:
    """Say nothing for so long, then cut the line."""
    clock.pause(seconds)
    request.META["sandbox.cut"]()
