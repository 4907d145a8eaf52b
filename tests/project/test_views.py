import pytest
from django.test import Client

from tests import cast

pytestmark = pytest.mark.django_db


def test_the_landing_page_is_there_for_strangers_and_for_people(client):
    assert client.get("/").status_code == 200
    client.force_login(cast.ana())
    assert client.get("/").status_code == 200


def test_robots_stay_on_the_public_pages(client):
    lines = client.get("/robots.txt").content.decode().splitlines()
    assert lines[0] == "User-agent: *"
    assert {"Disallow: /chat/", "Disallow: /admin/"} <= set(lines)
    assert not {"Disallow: /", "Disallow: /pricing/"} & set(lines)


@pytest.mark.parametrize("path", ["/nothing-here", "/chat/not-an-id/", "/_mail/gone-0/"])
def test_an_unknown_address_is_a_page(client, path):
    response = client.get(path)
    assert response.status_code == 404
    assert response["Content-Type"] == "text/html; charset=utf-8"
    assert b"<h1" in response.content


def test_an_unknown_address_of_our_api_is_json(client):
    response = client.get("/api/v1/nothing")
    assert response.status_code == 404
    assert response.json() == {"error": {"code": "not_found", "message": "There is nothing at this address."}}


def test_a_form_without_its_token_says_what_helps():
    strict = Client(enforce_csrf_checks=True)
    response = strict.post("/accounts/login/", {"login": "ana@example.org", "password": "x"})
    assert response.status_code == 403
    assert "This form is out of date." in response.content.decode()


def test_what_broke_is_never_told(client, settings):
    client.raise_request_exception = False
    settings.EMAIL_FILE_PATH = 12  # no path: what reads it raises AttributeError
    response = client.get("/_mail/")
    assert response.status_code == 500
    assert "AttributeError" not in response.content.decode()


def test_the_language_of_a_page_can_be_chosen(client):
    client.post("/i18n/setlang/", {"language": "fr", "next": "/"})
    assert b'<html lang="fr"' in client.get("/").content
