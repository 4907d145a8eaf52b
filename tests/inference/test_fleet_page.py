"""The page of the back ends: who may see it, who may change something."""

from datetime import timedelta

import pytest
from django.contrib.messages import get_messages
from django.test import Client

from apps.accounts.models import User
from apps.core import clock
from apps.inference import credentials, operations
from apps.inference.models import Backend, BackendKey
from tests import build, cast

pytestmark = pytest.mark.django_db(transaction=True)
KEY = "sk-very-secret-1234"


@pytest.fixture(autouse=True)
def remember_nothing():
    yield
    credentials.forget()


def signed_in(role):
    staff = User.objects.create_user(f"{role}@example.com", "correct horse 9", role=role, is_staff=bool(role))
    if role == User.Role.ADMIN:
        User.objects.filter(pk=staff.pk).update(is_superuser=True)
        staff.refresh_from_db()
    client = Client()
    client.force_login(staff, backend="apps.accounts.roles.RoleBackend")
    return client


def test_says_how_each_back_end_stands():
    Backend.objects.create(key="local", is_drained=True)
    build.run(account=build.account())
    page = signed_in(User.Role.ADMIN).get("/admin/backends/").content.decode()
    assert "Drained" in page
    assert 'data-backend="openai"' in page
    assert "Not set up" in page


@pytest.mark.parametrize("role", [User.Role.SUPPORT, User.Role.FINANCE])
def test_support_and_finance_look_and_change_nothing(role):
    client = signed_in(role)
    page = client.get("/admin/backends/")
    assert page.status_code == 200
    assert "Keep the key" not in page.content.decode()
    for act in ("drain", "resume", "key", "key/remove"):
        assert client.post(f"/admin/backends/local/{act}/", {"key": KEY}).status_code == 403
    assert not Backend.objects.filter(is_drained=True).exists()
    assert not BackendKey.objects.exists()


def test_people_see_nothing_of_it():
    client = Client()
    client.force_login(cast.ana(), backend="apps.accounts.roles.RoleBackend")
    assert client.get("/admin/backends/").status_code == 403
    assert client.post("/admin/backends/local/drain/").status_code == 403


def test_an_administrator_drains_and_resumes():
    client = signed_in(User.Role.ADMIN)
    client.post("/admin/backends/local/drain/")
    assert Backend.objects.get(key="local").is_drained
    client.post("/admin/backends/local/resume/")
    assert not Backend.objects.get(key="local").is_drained


def test_a_back_end_that_is_not_there_is_missing():
    assert signed_in(User.Role.ADMIN).post("/admin/backends/nobody/drain/").status_code == 404
    assert not Backend.objects.exists()


def test_a_key_is_asked_for_with_a_proof():
    answer = signed_in(User.Role.ADMIN).post("/admin/backends/openai/key/", {"key": KEY})
    assert answer.status_code == 302
    assert "reauthenticate" in answer["Location"]
    assert not BackendKey.objects.exists()


def test_a_key_is_kept_and_never_shown_again():
    client = signed_in(User.Role.ADMIN)
    client.post("/accounts/reauthenticate/", {"password": "correct horse 9"})
    answer = client.post("/admin/backends/openai/key/", {"key": KEY})
    assert answer["Location"] == "/admin/backends/", list(map(str, get_messages(answer.wsgi_request)))
    page = client.get("/admin/backends/").content.decode()
    assert KEY not in page
    assert "…1234" in page


def test_shows_what_a_back_end_wrote_and_what_went_wrong(course, provider):
    provider.refuse(500)
    course.execute(build.run(account=build.account(), now=clock.now()), clock=clock.now)
    (card,) = [
        found
        for found in operations.read_backends(since=clock.now() - timedelta(hours=1), now=clock.now())
        if found.key == "local"
    ]
    assert (card.state, card.answered.answers, card.answered.failed, card.open_now) == ("up", 1, 0, 0)
    assert card.answered.first_token_ms is not None
    assert (card.trouble, list(card.cost)) == ({"server_error": 1}, ["usd"])
    page = signed_in(User.Role.ADMIN).get("/admin/backends/").content.decode()
    assert "server_error: 1" in page
    assert "&lt; USD 0.01" in page
