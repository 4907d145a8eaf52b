import asyncio

import pytest
from django.test import AsyncClient
from django.urls import resolve

from project.middleware import GuestMiddleware, LookMiddleware, ProofMiddleware
from tests import cast

pytestmark = pytest.mark.django_db


def directives(response):
    return dict(part.split(" ", 1) for part in response["Content-Security-Policy"].split("; "))


def test_pages_load_nothing_from_elsewhere_and_run_nothing_inline(client):
    policy = directives(client.get("/"))
    assert policy["default-src"] == "'self'"
    assert "unsafe" not in " ".join(policy.values())
    assert (policy["object-src"], policy["base-uri"], policy["frame-ancestors"]) == ("'none'", "'none'", "'none'")


def test_forms_lead_to_us_and_to_the_pages_where_one_pays(client, settings):
    assert directives(client.get("/"))["form-action"] == f"'self' {settings.STRIPE_API_BASE}"


def test_only_the_admin_may_evaluate_what_its_library_needs(client):
    client.force_login(cast.dana())
    assert "'unsafe-eval'" in directives(client.get("/admin/"))["script-src"]
    assert "script-src" not in directives(client.get("/chat/"))


def test_json_carries_no_policy_of_pages(client):
    assert "Content-Security-Policy" not in client.get("/healthz")


def test_every_answer_refuses_to_be_guessed_framed_or_traced(client):
    response = client.get("/")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Frame-Options"] == "DENY"
    assert response["Referrer-Policy"] == "same-origin"
    assert response["Permissions-Policy"] == "camera=(), geolocation=(), payment=(), usb=()"


@pytest.mark.parametrize(
    "address",
    [
        "/api/v1/conversations?q=%00",
        "/billing/invoices/in_%00/",
        "/admin/reports/mrr/rows/?plan=%00",
        "/admin/accounts/user/?q=%00",
        "/%00",
    ],
)
def test_an_address_with_nul_is_refused_and_breaks_nothing(client, address):
    client.force_login(cast.dana())
    assert client.get(address).status_code == 400
    assert client.post(address).status_code == 400


def test_an_address_with_nul_is_refused_on_the_loop_too():
    response = asyncio.run(AsyncClient().get("/v1/models?after=%00"))
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "invalid"
    assert response["X-Request-ID"]


class Untouchable:
    """What may not be looked at."""

    def __getattr__(self, name):
        raise AssertionError(f"{name} was asked for")

    def __contains__(self, key):
        raise AssertionError(f"{key} was asked for")


@pytest.mark.parametrize("middleware", [GuestMiddleware, LookMiddleware, ProofMiddleware])
@pytest.mark.parametrize(
    "address",
    [
        "/api/v1/runs/01a21910-66cb-77e7-9f82-b693e46f1b6a/events",
        "/v1/chat/completions",
        "/password-strength/",
        "/healthz",
    ],
)
def test_nobody_is_looked_up_where_it_would_hold_a_connection_for_minutes(rf, middleware, address):
    request = rf.get(address)
    request.resolver_match = resolve(address)
    request.session = request.user = Untouchable()
    assert middleware(lambda _request: None).process_view(request) is None
