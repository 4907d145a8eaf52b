"""Mails a person may do without: chosen on a page, ended by a link that needs no sign-in and reaches nobody else."""

import pytest
from django.core import mail as sent
from django.test import Client

from apps.accounts import notifications
from apps.billing import emails
from apps.core.errors import Missing
from tests import cast

pytestmark = pytest.mark.django_db
PAGE = "/settings/notifications/"
FACTS = {"count": "20", "resets_at": "2026-03-02T12:00:00+00:00"}


@pytest.fixture
def ana():
    return cast.ana()


def wants(person):
    person.refresh_from_db()
    return person.wants_limit_mail, person.wants_spending_mail


def token_of(person, kind):
    return notifications.stop_url(person, kind).rstrip("/").rpartition("/")[2]


def test_at_first_only_warnings_about_money_come(ana):
    assert wants(ana) == (False, True)


def test_the_page_keeps_what_is_wanted(client, ana):
    client.force_login(ana)
    assert client.post(PAGE, {"wants_limit_mail": "on"}).url == PAGE
    assert wants(ana) == (True, False)
    assert "checked" in client.get(PAGE).content.decode()


def test_a_stranger_changes_nothing(ana):
    assert Client().post(PAGE, {}).url.startswith("/accounts/login/")
    assert wants(ana) == (False, True)


def test_a_link_ends_one_kind_for_one_person(ana):
    ben = cast.ben()
    address = notifications.stop_url(ana, notifications.SPENDING)
    client = Client(enforce_csrf_checks=True)  # a mail program has no cookie
    assert "Stop mails of this kind?" in client.get(address).content.decode()
    assert wants(ana) == (False, True)
    assert client.post(address, {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert (wants(ana), wants(ben)) == ((False, False), (False, True))
    assert client.post(address).status_code == 200


@pytest.mark.parametrize("token", ["x", "WyJhIiwibGltaXRzIl0:1:2"])
def test_a_made_up_link_ends_nothing(ana, token):
    with pytest.raises(Missing):
        notifications.stop(token)
    assert Client().post(f"/mails/stop/{token}/").status_code == 404


def test_a_letter_one_can_do_without_says_how_to_end_it(ana, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    emails.send(emails.LIMIT_REACHED, FACTS, ana)
    (letter,) = sent.outbox
    address = notifications.stop_url(ana, notifications.LIMITS)
    assert letter.extra_headers["List-Unsubscribe"] == f"<{address}>"
    assert letter.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert address in letter.body
    assert letter.body.startswith("Hello")
    assert letter.subject == "Your messages are used up for now"


def test_other_letters_cannot_be_ended(ana, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    emails.send(emails.PLAN_RESUMED, {"plan": "Premium", "until": "2026-03-02T12:00:00+00:00"}, ana)
    assert "List-Unsubscribe" not in sent.outbox[0].extra_headers
    assert token_of(ana, "limits") not in sent.outbox[0].body
