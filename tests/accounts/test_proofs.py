"""People without password and passkey prove who they are by a code, before what is important, as others do."""

import re

import pytest
from allauth.account.models import EmailAddress
from django.core.cache import cache
from django.test import Client

from apps.accounts import proofs
from apps.core import clock
from tests import build, cast
from tests.support.letters import Post

pytestmark = pytest.mark.django_db
PROVE = "/settings/prove/"
IMPORTANT = ["/settings/email/", "/settings/data/delete/", "/accounts/password/set/", "/accounts/2fa/totp/activate/"]


@pytest.fixture(autouse=True)
def letters(settings):
    cache.clear()
    return Post(settings)


@pytest.fixture
def lea():
    """Signs in with an account elsewhere alone."""
    person = build.person(email="lea@example.org")
    person.set_unusable_password()
    person.save(update_fields=["password"])
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    return person


@pytest.fixture
def here(client, lea):
    client.force_login(lea)
    return client


def code_in(letters):
    return re.search(r"^ {4}(\S+)$", letters[-1].body, re.MULTILINE)[1]


@pytest.mark.parametrize("address", IMPORTANT)
def test_nothing_important_opens_without_a_proof(here, address):
    for method in (here.get, here.post):
        assert method(address).url == f"{PROVE}?next={address.replace('/', '%2F')}"


def test_a_code_opens_it_for_ten_minutes(here, letters, lea):
    assert here.post(f"{PROVE}send/", {"next": IMPORTANT[0]}).url == f"{PROVE}?next=%2Fsettings%2Femail%2F"
    assert letters[-1].to == [lea.email]
    assert here.post(PROVE, {"code": "BCDFGH", "next": IMPORTANT[0]}).status_code == 400
    answer = here.post(PROVE, {"code": code_in(letters).lower(), "next": IMPORTANT[0]})
    assert answer.url == IMPORTANT[0]
    assert here.get(IMPORTANT[0]).status_code == 200
    session = here.session
    for record in session["account_authentication_methods"]:
        record["at"] -= 600
    session.save()
    assert here.get(IMPORTANT[0]).url.startswith(PROVE)


def test_a_code_is_good_once_and_not_in_another_session(here, letters, lea):
    here.post(f"{PROVE}send/")
    code = code_in(letters)
    other = Client()
    other.force_login(lea)
    assert other.post(PROVE, {"code": code}).status_code == 400
    here.post(PROVE, {"code": code})
    assert here.post(PROVE, {"code": code}).status_code == 400


def test_an_old_code_is_good_for_nothing(here, letters):
    here.post(f"{PROVE}send/")
    session = here.session
    session[proofs.SESSION_KEY] = {**session[proofs.SESSION_KEY], "until": clock.now().timestamp()}
    session.save()
    assert here.post(PROVE, {"code": code_in(letters)}).status_code == 400


def test_guessing_ends_soon(here):
    here.post(f"{PROVE}send/")
    answers = [here.post(PROVE, {"code": "BCDFGH"}).status_code for _ in range(12)]
    assert answers[-1] == 429


@pytest.mark.parametrize("wanted", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_it_leads_nowhere_else(here, letters, wanted):
    here.post(f"{PROVE}send/")
    assert here.post(PROVE, {"code": code_in(letters), "next": wanted}).url == "/settings/security/"


def test_who_has_a_password_is_asked_for_that(client):
    ana = cast.ana()
    client.force_login(ana)
    assert client.get(IMPORTANT[0]).url.startswith("/accounts/reauthenticate/")


def test_a_stranger_gets_no_code(letters):
    assert Client().post(f"{PROVE}send/").url.startswith("/accounts/login/")
    assert len(letters) == 0
