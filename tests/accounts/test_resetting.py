"""A forgotten password: the link is good once, for a strong new password, and ends every session that was there."""

import re
from urllib.parse import urlsplit

import pytest
from allauth.account.models import EmailAddress
from django.test import Client

from tests import build, cast
from tests.support.letters import Post

pytestmark = pytest.mark.django_db
NEW = "ocre lune radeau 8"


@pytest.fixture
def letters(settings):
    return Post(settings)


@pytest.fixture
def ana():
    person = cast.ana()
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    return person


@pytest.fixture
def elsewhere(ana):
    """A browser that she is signed in with."""
    client = Client()
    client.force_login(ana)
    return client


@pytest.fixture
def link(ana, elsewhere, letters):
    Client().post("/accounts/password/reset/", {"email": ana.email})
    return urlsplit(re.search(r"^(http\S+/reset/key/\S+)$", letters[-1].body, re.MULTILINE)[1]).path


def choose(link, password=NEW):
    """Open the link in a browser of its own and choose a password."""
    client = Client()
    page = client.get(link)
    return client.post(page.url, {"password1": password, "password2": password}) if page.status_code == 302 else page


def test_the_link_lets_a_new_password_be_chosen_and_ends_other_sessions(ana, elsewhere, link):
    assert elsewhere.get("/settings/profile/").status_code == 200
    assert choose(link).status_code == 302
    ana.refresh_from_db()
    assert ana.check_password(NEW)
    assert elsewhere.get("/settings/profile/").status_code == 302


def test_the_link_is_good_once(ana, link):
    choose(link)
    answer = choose(link, "autre lune radeau 9")
    assert answer.status_code == 200
    ana.refresh_from_db()
    assert ana.check_password(NEW)


def test_a_weak_password_is_refused_and_the_link_stays_good(ana, link):
    before = ana.password
    assert choose(link, "azerty12").status_code == 200
    ana.refresh_from_db()
    assert ana.password == before
    assert choose(link).status_code == 302


def test_a_link_is_void_once_the_password_was_changed_otherwise(ana, link):
    ana.set_password("encore une autre 10")
    ana.save(update_fields=["password"])
    choose(link)
    ana.refresh_from_db()
    assert ana.check_password("encore une autre 10")


def test_a_link_of_one_does_nothing_to_another(ana, link):
    mallory = cast.mallory()
    forged = re.sub(r"/key/[^-]+-", "/key/0-", link)
    choose(forged)
    for person in (ana, mallory):
        person.refresh_from_db()
        assert person.check_password(build.PASSWORD)
