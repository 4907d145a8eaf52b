"""Signing in by a code in a mail: without a password, without telling who has an account."""

import re

import pytest
from allauth.account.models import EmailAddress
from django.core.cache import cache
from django.test import Client

from tests import cast
from tests.support.letters import Post

pytestmark = pytest.mark.django_db
ASK, CONFIRM = "/accounts/login/code/", "/accounts/login/code/confirm/"


@pytest.fixture(autouse=True)
def letters(settings):
    return Post(settings)


@pytest.fixture
def ana():
    ana = cast.ana(language="fr")
    EmailAddress.objects.create(user=ana, email=ana.email, verified=True, primary=True)
    return ana


def code_in(letter):
    return re.search(r"^\s*([A-Z0-9]{4}-[A-Z0-9]{4})\s*$", letter.body, re.MULTILINE).group(1)


def is_in(client):
    return "_auth_user_id" in client.session


def test_the_code_lets_in_in_the_persons_language(client, ana, letters):
    assert client.post(ASK, {"email": ana.email}).url == CONFIRM
    (letter,) = letters
    assert letter.subject.startswith("Votre code")
    assert client.post(CONFIRM, {"code": code_in(letter)}).url == "/chat/"
    assert is_in(client)


def test_a_known_and_an_unknown_address_are_answered_alike(ana, letters):
    known, unknown = Client(), Client()
    answers = [known.post(ASK, {"email": ana.email}), unknown.post(ASK, {"email": "nobody@example.org"})]
    assert [(answer.status_code, answer.url) for answer in answers] == [(302, CONFIRM), (302, CONFIRM)]
    pages = [re.sub(r"csrf[^>]*>|\S+@example.org", "", c.get(CONFIRM).content.decode()) for c in (known, unknown)]
    assert pages[0] == pages[1]
    assert [letter.to for letter in letters] == [["ana@example.org"], ["nobody@example.org"]]


def test_three_wrong_codes_end_the_attempt(client, ana, letters):
    client.post(ASK, {"email": ana.email})
    code = code_in(letters[0])
    for _ in range(3):
        client.post(CONFIRM, {"code": "WRONGX"})
    client.post(CONFIRM, {"code": code})
    assert not is_in(client)


def test_a_code_works_in_the_browser_that_asked_for_it_and_once(client, ana, letters):
    client.post(ASK, {"email": ana.email})
    code, thief = code_in(letters[0]), Client()
    thief.post(ASK, {"email": "nobody@example.org"})
    thief.post(CONFIRM, {"code": code})
    assert not is_in(thief)
    client.post(CONFIRM, {"code": code})
    client.post("/accounts/logout/")
    client.post(CONFIRM, {"code": code})
    assert not is_in(client)


def test_asking_too_often_is_refused_for_the_address_too(ana, letters):
    answers = [Client().post(ASK, {"email": ana.email}, REMOTE_ADDR=f"192.0.2.{number}") for number in range(5)]
    assert [answer.status_code for answer in answers] == [302, 302, 302, 200, 200]
    assert len(letters) == 3


def ask_for_many(**more):
    """Twenty-one people of one address; the headers are made by number."""
    headers = more.pop("headers", lambda _number: {})
    return [
        Client().post(ASK, {"email": f"{number}@example.org"}, headers=headers(number), **more) for number in range(21)
    ]


def test_who_tries_too_often_is_told_until_when(ana):
    answers = ask_for_many()
    assert [answer.status_code for answer in answers] == [302] * 20 + [200]
    assert answers[-1].context["form"].errors["email"] == ["Too many tries. Please try again in a minute."]
    cache.clear()
    assert Client().post(ASK, {"email": ana.email}).status_code == 302


def test_an_account_that_was_tried_too_often_can_still_be_entered_by_code(client, ana, letters):
    for _ in range(6):
        page = Client().post("/accounts/login/", {"login": ana.email, "password": "wrong"})
    assert page.context["form"].non_field_errors() == ["Too many tries. Please try again in 5 minutes."]
    client.post(ASK, {"email": ana.email})
    assert client.post(CONFIRM, {"code": code_in(letters[0])}).url == "/chat/"


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "CF-Connecting-IP"])
def test_a_header_is_no_way_around(ana, header):
    answers = ask_for_many(headers=lambda number: {header: f"192.0.2.{number}"})
    assert answers[-1].status_code == 200


def test_behind_a_proxy_the_address_that_it_added_counts(ana, settings):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    answers = ask_for_many(headers=lambda number: {"X-Forwarded-For": f"198.51.100.{number}, 192.0.2.7"})
    assert answers[-1].status_code == 200
    other = {"X-Forwarded-For": "192.0.2.7, 192.0.2.8"}
    assert Client().post(ASK, {"email": ana.email}, headers=other).status_code == 302
