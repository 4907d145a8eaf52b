"""Trying without an account: the landing page's composer, what a guest reaches, and how a guest becomes a member."""

from dataclasses import replace
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.test import Client

from apps.accounts import guests
from apps.accounts.models import Consent, User
from apps.billing import entitlements, plans
from apps.billing.models import BillingAccount
from apps.chat import trying
from apps.chat.models import Conversation, Message
from apps.core import clock
from apps.privacy import erasures
from apps.privacy.models import DataRequest
from apps.reporting.metrics.revenue import accounts_at
from apps.usage.models import GuestDay
from tests import build, cast
from tests.accounts.test_signup import code_in
from tests.house.test_urls import ALL, PUBLIC
from tests.support.letters import Post

pytestmark = pytest.mark.django_db
SIGN_UP = {"email": "new@example.org", "password1": "ocre lune radeau 8", "accept_terms": "on"}


@pytest.fixture(autouse=True)
def served(provider):
    """A back end for the small model."""


@pytest.fixture
def letters(settings):
    return Post(settings)


def ask(client, text="Why is the sky blue?"):
    return client.post("/try/", {"text": text})


@pytest.fixture
def guest(client):
    """Whoever asked on the landing page, in the browser `client`."""
    ask(client)
    return User.objects.get(is_guest=True)


def test_the_landing_page_has_a_composer_for_strangers(client):
    page = client.get("/").content.decode()
    assert 'action="/try/"' in page
    assert "you accept the" in page
    client.force_login(cast.ana())
    assert 'action="/try/"' not in client.get("/").content.decode()


@pytest.mark.parametrize("change", [{"mode": "paid_only"}, {"mode": "internal"}])
def test_without_messages_for_guests_there_is_none(client, monkeypatch, change):
    told = replace(plans.catalogue(), **change)
    monkeypatch.setattr(plans, "catalogue", lambda: told)
    assert trying.is_possible() is False
    assert 'action="/try/"' not in client.get("/").content.decode()
    assert ask(client).status_code == 404
    assert not User.objects.exists()


def test_asking_makes_a_guest_whose_answer_begins(client):
    answer = ask(client)
    conversation = Conversation.objects.get()
    assert answer.url == f"/chat/{conversation.pk}/"
    guest = conversation.owner
    assert (guest.is_guest, guest.email, guest.has_usable_password()) == (True, f"guest-{guest.pk}@invalid", False)
    assert client.get(answer.url).status_code == 200
    assert entitlements.plan_for(guest.billing_account, now=clock.now()).key == "guest"
    assert not Message.objects.filter(may_train=True).exists()
    assert not Consent.objects.exists()


@pytest.mark.parametrize("text", ["", "   "])
def test_nothing_is_no_question(client, text):
    assert ask(client, text).status_code == 400
    assert not User.objects.exists()


def test_the_second_question_is_the_same_guests(client, guest):
    ask(client, "And the sea?")
    assert User.objects.count() == 1
    assert Conversation.objects.of(guest).count() == 2


def test_a_guest_is_a_stranger_everywhere_but_in_the_chat(client, guest):
    closed = {}
    for route, address in ALL.items():
        if route in PUBLIC or "(?P<" in route or address.startswith(("/chat/", "/api/v1/", "/try/", "/_mail")):
            continue
        answers = {method(address).status_code for method in (client.get, client.post)}
        if not answers <= {302, 401, 403, 404, 405}:
            closed[route] = answers
    assert closed == {}
    for address in ("/settings/profile/", "/settings/data/", "/settings/keys/", "/settings/plan/"):
        assert client.get(address).url.startswith("/accounts/login/"), address
    assert client.get("/api/v1/billing/state").status_code in (401, 403)


def test_a_guest_reaches_no_strangers_conversation(client, guest):
    other = Client()
    ask(other)
    theirs = Conversation.objects.exclude(owner=guest).get()
    assert client.get(f"/chat/{theirs.pk}/").status_code == 404
    assert client.get(f"/api/v1/conversations/{theirs.pk}").status_code == 404


def test_the_chat_page_offers_to_sign_up(client, guest):
    boot = client.get("/chat/").context["boot"]
    assert boot["user"] == {"name": "", "email": "", "is_guest": True}
    assert boot["plan"] == {"key": "guest", "name": "Guest"}


def test_signing_up_keeps_what_was_written_and_the_row(client, guest, letters):
    answer = client.post("/accounts/signup/", SIGN_UP)
    assert answer.url == "/accounts/confirm-email/"
    member = User.objects.get()
    assert (member.pk, member.email, member.is_guest) == (guest.pk, "new@example.org", False)
    assert member.check_password(SIGN_UP["password1"])
    assert client.get("/chat/").url.startswith("/accounts/login/")
    client.post("/accounts/confirm-email/", {"code": code_in(letters[-1])})
    assert client.get("/chat/").status_code == 200
    assert Conversation.objects.of(member).count() == 1
    assert EmailAddress.objects.get().verified is True
    account = entitlements.account_for(member, now=clock.now())
    assert entitlements.plan_for(account, now=clock.now()).key == "free"
    assert BillingAccount.objects.get().is_guest is False


def test_a_password_that_is_judged_meanwhile_asks_nobody_who_they_are(client, guest, django_assert_num_queries):
    """It may overtake the sign-up, and would end its session if it looked at the guest's."""
    with django_assert_num_queries(0):
        answer = client.post("/password-strength/", {"password": "azerty12"}, content_type="application/json")
    assert answer.json()["is_enough"] is False
    assert "sessionid" not in answer.cookies


def test_an_address_that_is_taken_leaves_the_guest_a_guest(client, guest, letters):
    cast.ana()
    answer = client.post("/accounts/signup/", {**SIGN_UP, "email": "ana@example.org"})
    assert answer.url == "/accounts/confirm-email/"
    guest.refresh_from_db()
    assert guest.is_guest is True
    assert client.get("/chat/").status_code == 200


def test_a_form_with_a_mistake_leaves_the_guest_a_guest(client, guest):
    assert client.post("/accounts/signup/", {**SIGN_UP, "password1": "1"}).status_code == 200
    guest.refresh_from_db()
    assert (guest.is_guest, guest.email) == (True, f"guest-{guest.pk}@invalid")
    assert client.get("/chat/").status_code == 200


def test_signing_in_to_an_account_leaves_the_guest_behind(client, guest):
    ana = cast.ana()
    EmailAddress.objects.create(user=ana, email=ana.email, verified=True, primary=True)
    client.post("/accounts/login/", {"login": ana.email, "password": build.PASSWORD})
    assert client.session["_auth_user_id"] == str(ana.pk)
    assert client.get("/settings/profile/").status_code == 200


def test_nobody_signs_in_as_a_guest(guest, letters):
    stranger = Client()
    stranger.post("/accounts/login/", {"login": guest.email, "password": ""})
    stranger.post("/accounts/password/reset/", {"email": guest.email})
    stranger.post("/accounts/login/code/", {"email": guest.email})
    assert "_auth_user_id" not in stranger.session
    assert [letter for letter in letters if "invalid" in letter.to[0]] == []


def test_an_address_may_not_ask_without_end(client, guest, settings):
    settings.GUEST_MESSAGES_PER_ADDRESS = 1
    answer = client.post("/api/v1/messages", {"text": "Again?"}, content_type="application/json")
    assert answer.status_code == 429
    body = answer.json()["error"] if "error" in answer.json() else answer.json()
    assert body["code"] == "guests_limit_reached"
    assert "Sign up" in body["message"]
    assert Conversation.objects.count() == 1


def test_many_new_guests_from_one_network_are_too_many(settings):
    settings.GUESTS_PER_HOUR_NEARBY = 2
    answers = [Client(REMOTE_ADDR="8.8.8.8").post("/try/", {"text": "Hi"}).status_code for _ in range(3)]
    assert answers == [302, 302, 503]
    assert User.objects.count() == 2


def test_members_are_counted_by_their_plan_alone(client, settings):
    settings.GUEST_MESSAGES_PER_ADDRESS = 0
    client.force_login(cast.ana())
    assert client.post("/api/v1/messages", {"text": "Hi"}, content_type="application/json").status_code == 201


def test_what_it_may_cost_is_counted_before(guest):
    site = GuestDay.objects.get(origin="")
    assert site.messages == 1
    assert site.cost_micro == (1024 * 20_000 + 256 * 60_000 + 999_999) // 1_000_000


def test_guests_are_no_people_of_the_reports(guest):
    assert accounts_at(clock.now() + timedelta(days=1), pays=False).count() == 0
    User.objects.update(is_guest=False)
    entitlements.account_for(User.objects.get(), now=clock.now())
    assert accounts_at(clock.now() + timedelta(days=1), pays=False).count() == 1


def test_who_never_signs_up_is_forgotten_without_a_letter(guest, letters, settings):
    now = clock.now()
    assert guests.forgotten(now=now + timedelta(days=13)).count() == 0
    later = now + timedelta(days=15)
    assert erasures.ask_for_guests(now=later) == 1
    request = DataRequest.objects.get()
    assert erasures.continue_erasure(request.pk, now=later) is True  # its answer had not begun, and was taken back
    guest.refresh_from_db()
    assert (guest.email, guest.is_active, guest.is_guest) == (f"left-{guest.pk}@invalid", False, True)
    assert not Conversation.objects.exists()
    assert accounts_at(later + timedelta(days=1), pays=False).count() == 0
    assert erasures.ask_for_guests(now=later) == 0
    assert (request.notify, len(letters)) == ("", 0)
