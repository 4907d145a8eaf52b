import re
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.template import engines
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from apps.accounts import profiles
from tests import cast

pytestmark = pytest.mark.django_db
ADDRESS = "/settings/profile/"
FORM = {"name": "Ana B.", "language": "fr", "theme": "dark", "time_zone": "Europe/Paris"}


def test_the_owner_changes_the_four_values(client):
    ana = cast.ana()
    client.force_login(ana)
    answer = client.post(ADDRESS, FORM)
    assert (answer.status_code, answer.url) == (302, ADDRESS)
    ana.refresh_from_db()
    assert (ana.name, ana.language, ana.theme, ana.time_zone) == ("Ana B.", "fr", "dark", "Europe/Paris")


def test_the_pages_follow_the_language_at_once(client):
    client.force_login(cast.ana())
    assert client.get(ADDRESS)["Content-Language"] == "en"
    client.post(ADDRESS, FORM)
    page = client.get(ADDRESS)
    assert page["Content-Language"] == "fr"
    assert [str(message) for message in page.context["messages"]] == ["Enregistré."]
    client.post(ADDRESS, {**FORM, "language": ""})
    assert client.get(ADDRESS, headers={"Accept-Language": "en"})["Content-Language"] == "en"


@pytest.mark.parametrize(
    ("field", "value"),
    [("language", "xx"), ("theme", "pink"), ("time_zone", "Europe/Atlantis"), ("time_zone", ""), ("name", "n" * 121)],
)
def test_nonsense_is_refused_and_nothing_changes(client, field, value):
    ana = cast.ana()
    client.force_login(ana)
    answer = client.post(ADDRESS, {**FORM, field: value})
    assert answer.status_code == 400
    assert list(answer.context["form"].errors) == [field]
    ana.refresh_from_db()
    assert (ana.name, ana.language, ana.theme, ana.time_zone) == ("Ana", "", "system", "UTC")


def test_rights_cannot_be_posted(client):
    ana = cast.ana()
    client.force_login(ana)
    client.post(ADDRESS, {**FORM, "is_staff": "on", "is_superuser": "on", "email": "root@example.org", "id": "1"})
    ana.refresh_from_db()
    assert (ana.name, ana.is_staff, ana.is_superuser, ana.email) == ("Ana B.", False, False, "ana@example.org")


def test_mallory_sees_and_changes_only_her_own(client):
    ana, mallory = cast.ana(), cast.mallory()
    client.force_login(mallory)
    assert "ana@example.org" not in client.get(ADDRESS).content.decode()
    client.post(ADDRESS, {**FORM, "id": str(ana.pk), "email": ana.email})
    ana.refresh_from_db()
    assert (ana.name, ana.theme) == ("Ana", "system")


@pytest.mark.parametrize("method", ["get", "post"])
def test_nobody_is_sent_to_sign_in(client, method):
    answer = getattr(client, method)(ADDRESS)
    assert (answer.status_code, answer.url) == (302, "/accounts/login/?next=/settings/profile/")


def test_only_the_four_columns_are_written():
    ana = cast.ana()
    with CaptureQueriesContext(
        connection,
    ) as queries:
        profiles.update(ana, FORM)
    (update,) = [query["sql"] for query in queries if query["sql"].startswith("UPDATE")]
    assert "is_active" not in update
    assert "password" not in update


def test_pages_show_times_in_the_persons_zone():
    template = engines["django"].from_string(
        '{% extends "base.html" %}{% block main %}[{{ moment|date:"H:i" }}]{% endblock main %}'
    )
    context = {"moment": datetime(2026, 3, 2, 9, 0, tzinfo=UTC)}
    request = RequestFactory().get("/")
    shown = []
    for user in (cast.ana(time_zone="Asia/Kolkata"), AnonymousUser()):
        request.user = user
        shown.append(re.search(r"\[(.*?)\]", template.render(context, request)).group(1))
    assert shown == ["14:30", "09:00"]
