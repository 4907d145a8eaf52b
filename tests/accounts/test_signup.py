import re
from threading import Barrier, Thread

import pytest
from allauth.account.models import EmailAddress
from django.db import connection
from django.test import Client

from apps.accounts.models import Consent, Letter, User
from apps.core import clock
from tests import build, cast
from tests.support.letters import Post

pytestmark = pytest.mark.django_db
FORM = {"email": "ana@example.org", "password1": build.PASSWORD, "accept_terms": "on"}


@pytest.fixture(autouse=True)
def letters(settings):
    return Post(settings)


def code_in(letter):
    return re.search(r"^\s*([BCDFGHJKLMNPQRSTVWXZ]{6})\s*$", letter.body, re.MULTILINE).group(1)


def sign_up(client, **changes):
    return client.post("/accounts/signup/", {key: value for key, value in {**FORM, **changes}.items() if value})


def test_a_code_from_the_mail_opens_the_chat(client, letters):
    answer = sign_up(client)
    assert (answer.status_code, answer.url) == (302, "/accounts/confirm-email/")
    assert [letter.to for letter in letters] == [["ana@example.org"]]
    assert "_auth_user_id" not in client.session

    answer = client.post("/accounts/confirm-email/", {"code": code_in(letters[0])})

    assert (answer.status_code, answer.url) == (302, "/chat/")
    assert client.session["_auth_user_id"] == str(User.objects.get().pk)
    assert EmailAddress.objects.get().verified


def test_a_wrong_code_lets_nobody_in(client, letters):
    sign_up(client)
    answer = client.post("/accounts/confirm-email/", {"code": "WRONGX"})
    assert answer.status_code == 200
    assert not EmailAddress.objects.get().verified
    assert "_auth_user_id" not in client.session


def test_three_wrong_codes_end_the_attempt(client, letters):
    sign_up(client)
    for _ in range(3):
        client.post("/accounts/confirm-email/", {"code": "WRONGX"})
    client.post("/accounts/confirm-email/", {"code": code_in(letters[0])})
    assert not EmailAddress.objects.get().verified
    assert "_auth_user_id" not in client.session


def test_a_known_address_is_answered_alike_and_told_by_mail(client, letters):
    cast.ana()
    known, unknown = sign_up(client), sign_up(Client(), email="nobody-yet@example.org")
    assert (known.status_code, known.url) == (unknown.status_code, unknown.url) == (302, "/accounts/confirm-email/")
    assert client.get("/accounts/confirm-email/").status_code == 200
    assert User.objects.filter(email="ana@example.org").count() == 1
    assert [letter.to for letter in letters] == [["ana@example.org"], ["nobody-yet@example.org"]]
    assert not re.search(r"^\s*[BCDFGHJKLMNPQRSTVWXZ]{6}\s*$", letters[0].body, re.MULTILINE)


def test_the_answers_are_kept_with_the_account(client):
    sign_up(client)
    ana = User.objects.get()
    rows = ana.consents.order_by("kind").values_list("kind", "is_given", "version", "country", "answered_at")
    assert list(rows) == [
        ("privacy", True, "2026-11", "", ana.date_joined),
        ("terms", True, "2026-11", "", ana.date_joined),
        ("training", False, "2026-11", "", ana.date_joined),
    ]


def test_training_is_allowed_only_by_a_tick(client):
    page = client.get("/accounts/signup/")
    assert page.context["form"]["may_train"].value() in (None, False)
    sign_up(client, may_train="on")
    assert Consent.objects.get(kind="training").is_given


def test_without_the_terms_nobody_is_made(client, letters):
    answer = sign_up(client, accept_terms=None)
    assert "accept_terms" in answer.context["form"].errors
    assert (User.objects.count(), Consent.objects.count(), letters) == (0, 0, [])


@pytest.mark.parametrize("password", ["short", "1234567890123", "password123"])
def test_a_weak_password_makes_nobody(client, letters, password):
    answer = sign_up(client, password1=password)
    assert "password1" in answer.context["form"].errors
    assert (User.objects.count(), letters) == (0, [])


def test_a_person_keeps_the_language_they_joined_in(client, letters):
    client.post("/accounts/signup/", FORM, headers={"Accept-Language": "fr"})
    assert User.objects.get().language == "fr"
    answer = client.post("/accounts/confirm-email/", {"code": code_in(letters[0])})
    assert answer.cookies["django_language"].value == "fr"


def test_a_silent_mail_server_keeps_nobody_waiting_and_the_mail_leaves_later(client, settings, letters):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    assert sign_up(client).url == "/accounts/confirm-email/"
    assert len(letters) == 0
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    Letter.objects.update(next_at=clock.now())  # a minute later
    assert client.post("/accounts/confirm-email/", {"code": code_in(letters[0])}).url == "/chat/"


@pytest.mark.django_db(transaction=True)
def test_two_at_once_make_one_account(letters):
    start, answers = Barrier(2), []

    def join():
        start.wait()
        answers.append(sign_up(Client()).status_code)
        connection.close()

    threads = [Thread(target=join) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [302, 429]  # the second is told by mail, of which one address gets one in ten seconds
    assert (User.objects.count(), Consent.objects.count(), EmailAddress.objects.count()) == (1, 3, 1)
