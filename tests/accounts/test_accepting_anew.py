"""A text that has changed is accepted anew before the chat; what was agreed to is shown on the person's own page."""

from types import MappingProxyType

import pytest
from django.test import Client

from apps.accounts import consent, signup
from apps.accounts.models import Consent
from tests import build, cast
from tests.build import NOW

pytestmark = pytest.mark.django_db
PAGE = "/terms/accept/"


@pytest.fixture
def ana(client):
    person = cast.ana()
    build.act(signup_answers, person)
    client.force_login(person)
    return person


def signup_answers(person):
    for kind in Consent.Kind:
        consent.record(person, kind, given=kind != Consent.Kind.TRAINING, version=consent.VERSIONS[kind], now=NOW)


def raise_versions(monkeypatch, *kinds):
    newer = {kind: "2099-01" if kind in kinds else version for kind, version in consent.VERSIONS.items()}
    monkeypatch.setattr(consent, "VERSIONS", MappingProxyType(newer))


def test_what_is_in_force_is_not_asked_again(client, ana):
    assert consent.outdated(ana) == []
    assert client.get("/chat/").status_code == 200


def test_a_changed_text_is_asked_before_the_chat_and_closes_nothing_else(client, ana, monkeypatch):
    raise_versions(monkeypatch, Consent.Kind.TERMS)
    assert consent.outdated(ana) == [Consent.Kind.TERMS]
    assert client.get("/chat/").url == PAGE
    assert client.get("/settings/data/").status_code == 200
    assert "take your data with you and leave" in client.get(PAGE).content.decode()
    assert client.post(PAGE).url == "/chat/"
    assert client.get("/chat/").status_code == 200
    newest = consent.latest(ana, Consent.Kind.TERMS)
    assert (newest.version, newest.is_given) == ("2099-01", True)
    assert ana.consents.count() == 4


def test_accepting_twice_adds_nothing(client, ana):
    client.post(PAGE)
    assert ana.consents.count() == 3


def test_training_is_never_asked_that_way(ana, monkeypatch):
    raise_versions(monkeypatch, Consent.Kind.TRAINING)
    assert consent.outdated(ana) == []


def test_the_page_of_ones_data_shows_every_answer(client, ana):
    signup.answer_training(ana, given=True, now=NOW)
    page = client.get("/settings/data/").content.decode()
    assert page.count("<td>2026-11</td>") == 4
    assert "Use of my conversations to improve models" in page


def test_a_stranger_accepts_nothing():
    assert Client().post(PAGE).url.startswith("/accounts/login/")
    assert not Consent.objects.exists()
