"""Signing in with an account elsewhere, against a real OpenID Connect provider: who gets in, and who does not."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount, SocialLogin
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from apps.accounts import guests, social
from apps.accounts.models import Consent, User
from project.settings import social as ways
from tests import build, cast
from tests.support.letters import Post
from tests.support.oidc import start_oidc

pytestmark = pytest.mark.django_db
LOGIN = "/accounts/oidc/oidc/login/"
SIGN_UP = "/accounts/3rdparty/signup/"
CONNECTIONS = "/accounts/3rdparty/"
ANA = "ana@example.org"


@pytest.fixture(scope="module")
def server():
    provider = start_oidc()
    yield provider
    provider.stop()


@pytest.fixture(autouse=True)
def letters(settings):
    return Post(settings)


@pytest.fixture(autouse=True)
def elsewhere(settings, server):
    """The way in that is offered; the others have no keys."""
    way = {"provider_id": "oidc", "name": "Work", "client_id": "causerie", "secret": "not-a-secret"}
    way["settings"] = {"server_url": server.url, "oauth_pkce_enabled": True}
    none = {name: {"APPS": []} for name in ("google", "apple", "twitter_oauth2", "github")}
    settings.SOCIALACCOUNT_PROVIDERS = {**none, "openid_connect": {"APPS": [way]}}
    return server


def begin(client, process="login"):
    """Press the button: the address that the browser is sent to."""
    answer = client.post(f"{LOGIN}?process={process}")
    assert answer.status_code == 302, answer.content.decode()
    return answer.url


def come_back(client, server, subject, process="login"):
    """The whole way there and back."""
    parts = urlsplit(server.authorize(begin(client, process), subject))
    return client.get(f"{parts.path}?{parts.query}")


def join(client, **answers):
    return client.post(SIGN_UP, {"accept_terms": "on", **answers})


def is_in(client):
    return client.session.get("_auth_user_id")


def member(person):
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    return person


def code_in(letters):
    return re.search(r"^ {4}(\S+)$", letters[-1].body, re.MULTILINE)[1]


def sign_in(person):
    client = Client()
    client.post("/accounts/login/", {"login": person.email, "password": build.PASSWORD})
    client.post("/accounts/reauthenticate/", {"password": build.PASSWORD})
    return client


def test_joins_with_a_verified_address_and_signs_in_again(client, server):
    server.knows("u1", email=ANA, email_verified=True, name="Ana  Silva")
    assert come_back(client, server, "u1").url == SIGN_UP
    assert "disabled" in client.get(SIGN_UP).content.decode()
    assert join(client, email="other@example.org").url == "/chat/"
    ana = User.objects.get()
    assert (ana.email, ana.name, ana.has_usable_password()) == (ANA, "Ana Silva", False)
    assert is_in(client) == str(ana.pk)
    assert list(EmailAddress.objects.values_list("email", "verified")) == [(ANA, True)]
    assert dict(Consent.objects.values_list("kind", "is_given")) == {"terms": True, "privacy": True, "training": False}
    again = Client()
    assert come_back(again, server, "u1").url == "/chat/"
    assert is_in(again) == str(ana.pk)


def test_a_guest_who_joins_this_way_keeps_their_row(client, server):
    guest = guests.make("203.0.113.7", "fr", now=build.NOW)
    client.force_login(guest, backend="apps.accounts.roles.RoleBackend")
    server.knows("u10", email=ANA, email_verified=True, name="Ana")
    come_back(client, server, "u10")
    guest.refresh_from_db()
    assert guest.is_guest is True
    assert join(client).url == "/chat/"
    member = User.objects.get()
    assert (member.pk, member.email, member.name, member.is_guest) == (guest.pk, ANA, "Ana", False)
    assert is_in(client) == str(guest.pk)
    assert SocialAccount.objects.get().user == member


def test_nobody_joins_without_accepting_the_terms(client, server):
    server.knows("u2", email=ANA, email_verified=True)
    come_back(client, server, "u2")
    assert client.post(SIGN_UP, {}).status_code == 200
    assert not User.objects.exists()


def test_an_address_nobody_vouches_for_is_confirmed_by_a_code(client, server, letters):
    server.knows("u3", email=ANA, email_verified=False)
    come_back(client, server, "u3")
    assert join(client, email=ANA).url == "/accounts/confirm-email/"
    assert is_in(client) is None
    client.post("/accounts/confirm-email/", {"code": code_in(letters)})
    assert is_in(client) == str(User.objects.get().pk)


def test_who_has_no_address_there_gives_one(client, server, letters):
    server.knows("u4", name="Nobody")
    come_back(client, server, "u4")
    assert join(client, email="").status_code == 200
    assert join(client, email="a@mailinator.com").status_code == 200
    assert join(client, email="mine@example.org").url == "/accounts/confirm-email/"
    assert letters[-1].to == ["mine@example.org"]


@pytest.mark.parametrize("is_verified", [True, False])
def test_the_address_of_an_account_does_not_open_it(client, server, letters, is_verified):
    ana = member(cast.ana())
    server.knows("thief", email=ANA, email_verified=is_verified)
    come_back(client, server, "thief")
    join(client, email=ANA)
    assert is_in(client) is None
    assert not SocialAccount.objects.exists()
    assert list(User.objects.all()) == [ana]
    assert letters[-1].to == [ANA]


def test_who_took_somebodys_address_before_them_gets_nothing_of_theirs(client, server):
    """The account waits unconfirmed under the victim's address; the victim's own way in must not lead there."""
    taken = build.person(email=ANA)
    EmailAddress.objects.create(user=taken, email=ANA, verified=False, primary=True)
    server.knows("victim", email=ANA, email_verified=True)
    come_back(client, server, "victim")
    join(client)
    assert is_in(client) is None
    assert not SocialAccount.objects.filter(user=taken).exists()


def test_a_letter_from_there_is_good_in_the_browser_that_asked_alone(client, server):
    """Login CSRF: a thief's own answer, opened in the victim's browser, signs nobody in."""
    server.knows("thief", email="thief@example.org", email_verified=True)
    parts = urlsplit(server.authorize(begin(client), "thief"))
    victim = Client()
    answer = victim.get(f"{parts.path}?{parts.query}")
    assert answer.status_code in (200, 401)
    assert "That did not work" in answer.content.decode()
    assert "socialaccount_sociallogin" not in victim.session


def test_an_answer_is_good_once(client, server):
    server.knows("u5", email=ANA, email_verified=True)
    parts = urlsplit(server.authorize(begin(client), "u5"))
    first, second = (client.get(f"{parts.path}?{parts.query}") for _ in range(2))
    assert first.url == SIGN_UP
    assert "That did not work" in second.content.decode()


def test_the_proof_of_the_code_is_asked_for(client):
    asked = parse_qs(urlsplit(begin(client)).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert len(asked["state"][0]) >= 16


def test_who_stops_there_comes_back_signed_out(client, server):
    asked = begin(client)
    state = parse_qs(urlsplit(asked).query)["state"][0]  # which this provider forgets to give back
    parts = urlsplit(server.refuse(asked))
    answer = client.get(f"{parts.path}?{parts.query}&state={state}", follow=True)
    assert "Nothing happened" in answer.content.decode()
    assert is_in(client) is None


def test_looking_at_the_address_of_a_way_in_goes_nowhere(client):
    answer = client.get(LOGIN)
    assert answer.status_code == 200
    assert "Continue with Work" in answer.content.decode()


def test_connecting_asks_for_a_proof_and_then_signs_in(server):
    ana = member(cast.ana())
    server.knows("u6", email="elsewhere@example.org", email_verified=True)
    unproven = Client()
    unproven.force_login(ana)
    assert come_back(unproven, server, "u6", "connect").url.startswith("/accounts/reauthenticate/")
    assert not SocialAccount.objects.exists()
    here = sign_in(ana)
    assert come_back(here, server, "u6", "connect").url == CONNECTIONS
    assert "Work" in here.get(CONNECTIONS).content.decode()
    other = Client()
    come_back(other, server, "u6")
    assert is_in(other) == str(ana.pk)
    assert list(EmailAddress.objects.filter(user=ana).values_list("email", flat=True)) == [ANA]


def test_what_is_connected_to_somebody_is_not_connected_to_another(server):
    ana, mallory = member(cast.ana()), member(cast.mallory())
    server.knows("u7", email=ANA, email_verified=True)
    come_back(sign_in(ana), server, "u7", "connect")
    answer = come_back(sign_in(mallory), server, "u7", "connect")
    assert answer.url == CONNECTIONS
    assert SocialAccount.objects.get().user == ana


def test_the_only_way_in_is_not_disconnected(client, server):
    server.knows("u8", email=ANA, email_verified=True)
    come_back(client, server, "u8")
    join(client)
    mine = SocialAccount.objects.get()
    answer = client.post(CONNECTIONS, {"account": mine.pk})
    assert answer.status_code == 200
    assert "only way in" in answer.content.decode()
    assert SocialAccount.objects.exists()


def test_a_way_in_is_disconnected_by_its_owner_alone(server, letters):
    ana, mallory = member(cast.ana()), member(cast.mallory())
    server.knows("u9", email=ANA, email_verified=True)
    here = sign_in(ana)
    come_back(here, server, "u9", "connect")
    mine = SocialAccount.objects.get()
    sign_in(mallory).post(CONNECTIONS, {"account": mine.pk})
    assert SocialAccount.objects.exists()
    here.post(CONNECTIONS, {"account": mine.pk})
    assert not SocialAccount.objects.exists()


@pytest.mark.parametrize("name", ["google", "github", "apple", "twitter_oauth2", "oidc/other", "oidc/google"])
def test_a_way_without_keys_is_not_there(client, name):
    assert [
        client.get(f"/accounts/{name}/login/").status_code,
        client.post(f"/accounts/{name}/login/").status_code,
    ] == [
        404,
        404,
    ]
    assert client.get(f"/accounts/{name}/login/callback/").status_code in (404, 405)


def test_only_what_has_keys_has_a_button(client, settings):
    page = client.get("/accounts/login/").content.decode()
    assert ("Continue with Work" in page, "Google" in page) == (True, False)
    settings.SOCIALACCOUNT_PROVIDERS = {name: {"APPS": []} for name in settings.SOCIALACCOUNT_PROVIDERS}
    for address in ("/accounts/login/", "/accounts/signup/"):
        assert "Continue with" not in client.get(address).content.decode()


def test_of_several_addresses_the_confirmed_one_is_kept():
    addresses = [EmailAddress(email="new@example.org"), EmailAddress(email="Old@example.org", verified=True)]
    login = SocialLogin(user=User(email="new@example.org"), email_addresses=addresses)
    assert social.vouched_address(login) == "old@example.org"
    social.keep_one_address(login, "old@example.org")
    assert ([one.email for one in login.email_addresses], login.user.email) == (["Old@example.org"], "old@example.org")


def test_half_of_the_keys_stop_the_start():
    with pytest.raises(ImproperlyConfigured, match="CAUSERIE_GITHUB_CLIENT_SECRET must be set"):
        ways.whole("CAUSERIE_GITHUB", client_id="abc", client_secret=" ")
    assert ways.whole("CAUSERIE_GITHUB", client_id="", client_secret="") == {}
