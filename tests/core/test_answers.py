import json
from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.test import RequestFactory
from rest_framework import exceptions as drf

from apps.core import answers, clock, errors
from apps.core.errors import Refusal

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SPENT = Refusal("limit_reached", limit=20, used=20, resets_at=NOW + timedelta(hours=1), lifted_by="premium")
LEAVES = [
    (errors.Invalid("No.", field="text"), 400, "invalid", "invalid_request_error"),
    (errors.Unauthenticated("Who?"), 401, "unauthenticated", "authentication_error"),
    (errors.PaymentNeeded("Pay.", Refusal("not_included")), 402, "not_included", "insufficient_quota"),
    (errors.NotAllowed("No."), 403, "not_allowed", "permission_error"),
    (errors.Missing("Gone."), 404, "not_found", "invalid_request_error"),
    (errors.Conflict("Late."), 409, "conflict", "invalid_request_error"),
    (errors.TooLarge("Big."), 413, "too_large", "invalid_request_error"),
    (errors.LimitReached("Spent.", SPENT), 429, "limit_reached", "rate_limit_error"),
    (errors.Unavailable("Later."), 503, "unavailable", "server_error"),
]
each_leaf = pytest.mark.parametrize(("error", "status", "code", "kind"), LEAVES)


@pytest.fixture(autouse=True)
def frozen(monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: NOW)


def answer(path, error, **headers):
    response = answers.answer_error(RequestFactory().get(path, headers=headers), error)
    return response, json.loads(response.content) if "json" in response["Content-Type"] else response.content.decode()


@each_leaf
def test_our_own_json(error, status, code, kind):
    response, body = answer("/api/v1/messages", error)
    assert response.status_code == status
    assert body == {"error": {"code": code, "message": str(error.sentence), **error.details()}}


@each_leaf
def test_the_shape_of_openai(error, status, code, kind):
    response, body = answer("/v1/chat/completions", error)
    assert response.status_code == status
    assert (body["error"]["type"], body["error"]["code"]) == (kind, code)
    assert body["error"]["param"] == ("text" if status == 400 else None)


@each_leaf
def test_a_page(error, status, code, kind, db):
    response, page = answer("/chat/", error)
    assert response.status_code == status
    assert response["Content-Type"].startswith("text/html")
    assert str(error.sentence) in page


def test_a_page_that_was_asked_for_json_answers_json():
    response, body = answer("/chat/", errors.Missing("Gone."), Accept="application/json")
    assert (response.status_code, body) == (404, {"error": {"code": "not_found", "message": "Gone."}})


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/api/v1/messages"])
def test_retry_after_says_when_asking_again_makes_sense(path):
    assert answer(path, errors.LimitReached("Spent.", SPENT))[0]["Retry-After"] == "3601"
    assert answer(path, errors.Unavailable(wait_s=9))[0]["Retry-After"] == "9"
    assert "Retry-After" not in answer(path, errors.PaymentNeeded("Pay.", Refusal("not_included")))[0]
    assert "Retry-After" not in answer(path, errors.Missing("Gone."))[0]


def test_refusals_carry_what_lifts_them():
    _, body = answer("/api/v1/messages", errors.LimitReached("Spent.", SPENT))
    assert body["error"] == {
        "code": "limit_reached",
        "message": "Spent.",
        "limit": 20,
        "used": 20,
        "resets_at": "2026-03-02T10:00:00Z",
        "lifted_by": "premium",
        "meter": None,
    }


def test_an_unknown_exception_is_not_told():
    middleware = answers.CauserieErrorMiddleware(lambda _request: None)
    request = RequestFactory().get("/api/v1/messages")
    assert middleware.process_exception(request, KeyError("the secret")) is None
    assert middleware.process_exception(request, errors.Missing("Gone.")).status_code == 404


@pytest.mark.parametrize(
    ("error", "status", "code", "message"),
    [
        (drf.NotAuthenticated(), 401, "unauthenticated", "Please sign in first."),
        (drf.AuthenticationFailed("the reason"), 401, "unauthenticated", "Please sign in first."),
        (drf.PermissionDenied("the reason"), 403, "not_allowed", "You may not do this."),
        (PermissionDenied("the reason"), 403, "not_allowed", "You may not do this."),
        (drf.PermissionDenied("CSRF Failed"), 403, "form_expired", "This page is out of date. Please load it again."),
        (Http404("the reason"), 404, "not_found", "There is nothing at this address."),
        (drf.NotFound("the reason"), 404, "not_found", "There is nothing at this address."),
        (drf.ParseError("the reason"), 400, "invalid", "The body is not valid JSON."),
        (drf.ValidationError(["Odd."]), 400, "invalid", "Odd."),
        (drf.MethodNotAllowed("PUT"), 405, "method_not_allowed", 'Method "PUT" not allowed.'),
        (errors.Conflict("Late."), 409, "conflict", "Late."),
    ],
)
def test_drf_speaks_with_one_voice(error, status, code, message):
    response = answers.answer_api_error(error, {"view": None, "request": None})
    assert (response.status_code, response.data) == (status, {"error": {"code": code, "message": message}})


def test_a_wrong_field_is_named():
    error = drf.ValidationError({"text": ["Too long.", "Too odd."], "title": ["Too short."]})
    response = answers.answer_api_error(error, {"view": None, "request": None})
    assert response.data == {"error": {"code": "invalid", "message": "Too long.", "field": "text"}}


def test_drf_leaves_the_unknown_alone():
    assert answers.answer_api_error(KeyError("the secret"), {"view": None, "request": None}) is None
