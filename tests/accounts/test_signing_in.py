import pytest
from allauth.account.models import EmailAddress
from django.test import Client

from tests import build, cast
from tests.support.letters import Post

pytestmark = pytest.mark.django_db
ADDRESS = "/accounts/login/"
WRONG = "The email address and/or password you specified are not correct."


@pytest.fixture(autouse=True)
def letters(settings):
    return Post(settings)


@pytest.fixture
def ana():
    ana = cast.ana(language="fr")
    EmailAddress.objects.create(user=ana, email=ana.email, verified=True, primary=True)
    return ana


def sign_in(client, *, email="ana@example.org", password=build.PASSWORD, **more):
    return client.post(ADDRESS, {"login": email, "password": password}, **more)


def test_leads_to_the_chat_in_the_persons_language(client, ana, letters):
    answer = sign_in(client, email="Ana@Example.org")
    assert (answer.status_code, answer.url) == (302, "/chat/")
    assert answer.cookies["django_language"].value == "fr"
    assert letters == []


def test_an_unknown_person_and_a_wrong_password_are_answered_alike(client, ana):
    answers = [sign_in(client, password="wrong"), sign_in(client, email="nobody@example.org")]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert [answer.context["form"].non_field_errors() for answer in answers] == [[WRONG], [WRONG]]
    assert "_auth_user_id" not in client.session


def test_an_address_that_was_never_confirmed_gets_a_new_code(client, letters):
    cast.ana()
    assert sign_in(client).url == "/accounts/confirm-email/"
    assert [letter.to for letter in letters] == [["ana@example.org"]]
    assert "_auth_user_id" not in client.session


def test_a_closed_account_stays_out(client, ana):
    ana.is_active = False
    ana.save(update_fields=["is_active"])
    sign_in(client)
    assert "_auth_user_id" not in client.session


def test_guessing_one_password_ends_after_five_tries(client, ana):
    for _ in range(5):
        sign_in(client, password="wrong")
    assert sign_in(client).status_code == 200
    assert "_auth_user_id" not in client.session


def test_a_machine_that_guesses_many_is_told_to_wait(client, ana):
    answers = [sign_in(Client(), email=f"{number}@example.org").status_code for number in range(31)]
    assert answers[-1] == 429
    page = sign_in(client)
    assert (page.status_code, "429.html" in [template.name for template in page.templates]) == (429, True)
    assert sign_in(client, REMOTE_ADDR="192.0.2.7").url == "/chat/"


def test_signing_out_takes_a_post(client, ana):
    client.force_login(ana)
    assert client.get("/accounts/logout/").status_code == 200
    assert "_auth_user_id" in client.session
    assert client.post("/accounts/logout/").url == "/"
    assert "_auth_user_id" not in client.session


def test_a_forgotten_password_says_nothing_about_who_is_known(client, ana, letters):
    answers = [
        client.post("/accounts/password/reset/", {"email": email}) for email in (ana.email, "nobody@example.org")
    ]
    assert {(answer.status_code, answer.url) for answer in answers} == {(302, "/accounts/password/reset/done/")}
    assert [letter.to for letter in letters] == [[ana.email], ["nobody@example.org"]]
    assert "/accounts/password/reset/key/" in letters[0].body
    assert "/accounts/password/reset/key/" not in letters[1].body


def enter_admin(client, password=build.PASSWORD, email="dana@example.org"):
    return client.post("/admin/login/?next=/admin/", {"username": email, "password": password, "next": "/admin/"})


def test_staff_enter_the_admin(client):
    cast.dana()
    assert enter_admin(client).url == "/admin/"


def test_people_who_are_not_staff_do_not(client, ana):
    assert enter_admin(client, email=ana.email).status_code == 200
    assert "_auth_user_id" not in client.session


def test_guessing_staffs_password_ends_after_five_tries(client):
    cast.dana()
    for _ in range(5):
        enter_admin(client, password="wrong")
    page = enter_admin(client)
    assert page.context["form"].non_field_errors() == ["Too many tries. Please try again in 5 minutes."]
    assert "_auth_user_id" not in client.session
