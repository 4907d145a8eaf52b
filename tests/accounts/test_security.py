"""The page for sign-in and security, second factors and sessions, as their owner, as mallory and signed out."""

import re
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from allauth.usersessions.models import UserSession
from django.core.cache import cache
from django.test import Client

from apps.accounts import sessions
from apps.core import clock
from tests import build, cast
from tests.support.letters import Post

pytestmark = pytest.mark.django_db
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0"
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"
)
PAGE = "/settings/security/"
EMAIL = "/settings/email/"


@pytest.fixture(autouse=True)
def letters(settings):
    return Post(settings)


@pytest.fixture
def ana():
    return joined(cast.ana())


def joined(person):
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    return person


def sign_in(person, *, agent=FIREFOX, client=None, **more):
    client = client or Client()
    form = {"login": person.email, "password": build.PASSWORD}
    client.answer = client.post("/accounts/login/", form, headers={"User-Agent": agent}, **more)
    return client


def prove(client):
    """Type the password once more, as what is important asks."""
    assert client.post("/accounts/reauthenticate/", {"password": build.PASSWORD}).status_code == 302


def turn_on_totp(client):
    """As a person does: read the secret from the page, type what the app shows."""
    prove(client)
    page = client.get("/accounts/2fa/totp/activate/")
    secret = re.search(r"data-secret>([A-Z2-7]+)<", page.content.decode()).group(1)
    answer = client.post("/accounts/2fa/totp/activate/", {"code": code_of(secret)})
    assert answer.status_code == 302, answer.content.decode()
    return secret


def code_of(secret, *, steps=0):
    return totp.format_hotp_value(totp.hotp_value(secret, int(clock.now().timestamp()) // 30 + steps))


def codes_on(client):
    client.post("/accounts/2fa/recovery-codes/generate/")
    page = client.get("/accounts/2fa/recovery-codes/").content.decode()
    return re.search(r'class="codes"[^>]*>([^<]+)<', page).group(1).split()


def is_in(client):
    return "_auth_user_id" in client.session


def test_the_page_shows_where_one_is_signed_in(ana):
    here, there = sign_in(ana), sign_in(ana, agent=CHROME, REMOTE_ADDR="81.2.69.142")
    page = here.get(PAGE)
    found = [(one.device, one.country, one.is_this) for one in page.context["sessions"]]
    assert found == [("Firefox, Linux", "", True), ("Chrome, Windows", "GB", False)]
    assert is_in(there)


def test_one_session_is_ended_from_another(ana):
    here, there = sign_in(ana), sign_in(ana, agent=CHROME)
    other = next(one for one in here.get(PAGE).context["sessions"] if not one.is_this)
    assert here.post(f"{PAGE}sessions/{other.pk}/end/").url == PAGE
    assert there.get("/settings/profile/").status_code == 302
    assert here.get(PAGE).status_code == 200


def test_all_others_are_ended_and_this_one_stays(ana):
    here, others = sign_in(ana), [sign_in(ana) for _ in range(2)]
    here.post(f"{PAGE}sessions/end-others/")
    assert [other.get(PAGE).status_code for other in others] == [302, 302]
    assert here.get(PAGE).status_code == 200


def test_mallory_ends_nobodys_session(ana):
    there, mallory = sign_in(ana), sign_in(joined(cast.mallory()))
    row = UserSession.objects.get(user=ana)
    assert mallory.post(f"{PAGE}sessions/{row.pk}/end/").status_code == 404
    mallory.post(f"{PAGE}sessions/end-others/")
    assert there.get(PAGE).status_code == 200


@pytest.mark.parametrize("path", [PAGE, f"{PAGE}sessions/7/end/", f"{PAGE}sessions/end-others/"])
def test_nobody_who_is_signed_out_gets_there(client, path):
    assert client.post(path).url.startswith("/accounts/login/")


def test_a_new_password_ends_the_other_sessions(ana, letters):
    here, there = sign_in(ana), sign_in(ana, agent=CHROME)
    new = {"oldpassword": build.PASSWORD, "password1": "ocre lune radeau 8", "password2": "ocre lune radeau 8"}
    assert here.post("/accounts/password/change/", new).status_code == 302
    assert there.get(PAGE).status_code == 302
    assert here.get(PAGE).status_code == 200
    assert letters[-1].subject == "Your password was changed"


def test_signing_in_gives_a_new_key_and_a_stolen_one_is_dead_after_signing_out(ana):
    client = Client()
    client.get("/accounts/login/")
    client.session["planted"] = "by mallory"
    client.session.save()
    planted = client.session.session_key
    sign_in(ana, client=client)
    assert client.session.session_key != planted
    stolen = Client()
    stolen.cookies["sessionid"] = client.session.session_key
    assert stolen.get(PAGE).status_code == 200
    client.post("/accounts/logout/")
    assert stolen.get(PAGE).status_code == 302


def test_a_sign_in_from_another_browser_is_told_by_mail(ana, letters):
    here = sign_in(ana)
    here.post("/accounts/logout/")
    sign_in(ana, client=here)
    assert letters == []
    sign_in(ana, agent=CHROME, REMOTE_ADDR="81.2.69.142")
    (letter,) = letters
    assert letter.subject == "A sign-in from a new device"
    assert "Chrome, Windows" in letter.body
    assert "81.2.69.142 (GB)" in letter.body
    assert PAGE in letter.body


def test_last_seen_is_written_down_every_five_minutes_at_most(ana):
    sign_in(ana)
    row = UserSession.objects.get()
    later = row.last_seen_at + timedelta(minutes=4, seconds=59)
    sessions.note_seen(row.session_key, now=later)
    assert UserSession.objects.get().last_seen_at == row.last_seen_at
    sessions.note_seen(row.session_key, now=later + timedelta(seconds=2))
    assert UserSession.objects.get().last_seen_at == later + timedelta(seconds=2)


@pytest.mark.django_db(transaction=True)
def test_a_new_factor_is_told_by_mail(ana, letters):
    turn_on_totp(sign_in(ana))
    subjects = [letter.subject for letter in letters]
    assert subjects == ["An authenticator app was added"]


def test_with_an_app_the_password_alone_does_not_let_in(ana):
    secret = turn_on_totp(sign_in(ana))
    thief = sign_in(ana)
    assert thief.answer.url == "/accounts/2fa/authenticate/"
    assert thief.get(PAGE).status_code == 302
    cache.clear()
    assert thief.post("/accounts/2fa/authenticate/", {"code": code_of(secret, steps=1)}).url == "/chat/"
    assert is_in(thief)


def test_a_code_of_the_app_counts_once(ana):
    secret = turn_on_totp(sign_in(ana))
    code = code_of(secret, steps=1)
    first, second = sign_in(ana), sign_in(ana)
    first.post("/accounts/2fa/authenticate/", {"code": code})
    answer = second.post("/accounts/2fa/authenticate/", {"code": code})
    assert is_in(first)
    assert not is_in(second)
    assert answer.status_code == 200


def test_guessing_codes_ends_after_some_tries(ana):
    secret = turn_on_totp(sign_in(ana))
    thief = sign_in(ana)
    for _ in range(5):
        thief.post("/accounts/2fa/authenticate/", {"code": "000000"})
    thief.post("/accounts/2fa/authenticate/", {"code": code_of(secret, steps=1)})
    assert not is_in(thief)


def test_a_recovery_code_lets_in_once(ana):
    here = sign_in(ana)
    turn_on_totp(here)
    codes = codes_on(here)
    assert len(codes) == 10
    first, second = sign_in(ana), sign_in(ana)
    assert first.post("/accounts/2fa/authenticate/", {"code": codes[0]}).url == "/chat/"
    second.post("/accounts/2fa/authenticate/", {"code": codes[0]})
    assert not is_in(second)
    assert here.get(PAGE).context["codes_left"] == 9


def test_recovery_codes_are_shown_to_who_made_them_and_not_later(ana):
    here = sign_in(ana)
    turn_on_totp(here)
    codes = codes_on(here)
    later = sign_in(ana)
    later.post("/accounts/2fa/authenticate/", {"code": codes[1]})
    prove(later)
    page = later.get("/accounts/2fa/recovery-codes/").content.decode()
    assert "9 codes are left" in page
    assert codes[0] not in page


def test_secrets_lie_encrypted_in_the_database(ana):
    secret = turn_on_totp(sign_in(ana))
    rows = str(list(Authenticator.objects.values_list("data", flat=True)))
    assert secret not in rows
    assert "gAAAA" in rows


SENSITIVE = [
    "/accounts/2fa/totp/activate/",
    "/accounts/2fa/recovery-codes/generate/",
    "/accounts/2fa/webauthn/add/",
]


@pytest.mark.parametrize("path", SENSITIVE)
def test_what_is_important_asks_for_a_proof_for_ten_minutes(ana, path):
    here = sign_in(ana)
    assert here.get(path).url.startswith("/accounts/reauthenticate/?next=")
    prove(here)
    assert here.get(path).headers.get("Location") in (None, PAGE)
    session = here.session
    for record in session["account_authentication_methods"]:
        record["at"] -= 10 * 60
    session.save()
    assert here.get(path).url.startswith("/accounts/reauthenticate/?next=")


@pytest.mark.parametrize("act", ["edit", "remove"])
def test_mallory_cannot_touch_anothers_passkey(ana, act):
    key = Authenticator.objects.create(user=ana, type="webauthn", data={"name": "Mine", "credential": {}})
    mallory = sign_in(joined(cast.mallory()))
    prove(mallory)
    path = f"/accounts/2fa/webauthn/keys/{key.pk}/{act}/"
    assert (mallory.get(path).status_code, mallory.post(path, {"name": "Hers"}).status_code) == (404, 404)
    key.refresh_from_db()
    assert key.data["name"] == "Mine"


def test_staffs_own_door_is_no_way_around_the_second_step():
    dana = joined(cast.dana())
    turn_on_totp(sign_in(dana))
    client = Client()
    answer = client.post("/admin/login/", {"username": dana.email, "password": build.PASSWORD})
    assert not is_in(client)
    assert "second step" in answer.content.decode()


@pytest.mark.parametrize("path", ["/accounts/2fa/", "/accounts/2fa/webauthn/", "/accounts/sessions/"])
def test_what_allauth_has_three_pages_for_leads_to_one(ana, path):
    assert sign_in(ana).get(path).url == PAGE


def test_the_address_is_changed_on_its_page(ana, letters):
    here, phone = sign_in(ana), sign_in(ana, agent=CHROME)
    assert here.get(EMAIL).url.startswith("/accounts/reauthenticate/?next=")
    prove(here)
    assert here.post(EMAIL, {"email": "ana@new.example.org"}).url == EMAIL
    page = here.get(EMAIL).content.decode()
    assert "<strong>ana@new.example.org</strong>" in page
    codes = {letter.to[0]: re.search(r"^ {4}(\S+)$", letter.body, re.MULTILINE)[1] for letter in letters[-2:]}
    told = {"old_code": codes["ana@example.org"], "new_code": "BCDFGH"}
    assert here.post(f"{EMAIL}codes/", told).status_code == 400
    told["new_code"] = codes["ana@new.example.org"].lower()
    assert here.post(f"{EMAIL}codes/", told).url == "/settings/profile/"
    ana.refresh_from_db()
    assert ana.email == "ana@new.example.org"
    assert here.get(PAGE).status_code == 200
    assert phone.get(PAGE).status_code == 302


def test_a_change_of_address_can_be_dropped(ana):
    here = sign_in(ana)
    prove(here)
    here.post(EMAIL, {"email": "ana@new.example.org"})
    here.post(f"{EMAIL}drop/")
    assert "ana@new.example.org" not in here.get(EMAIL).content.decode()
    assert here.post(f"{EMAIL}codes/", {"old_code": "BCDFGH", "new_code": "BCDFGH"}).url == EMAIL


@pytest.mark.parametrize("email", ["", "no address", "ana@example.org", "ana@mailinator.com"])
def test_an_address_of_no_use_is_refused(ana, letters, email):
    here = sign_in(ana)
    prove(here)
    before = len(letters)
    assert here.post(EMAIL, {"email": email}).status_code == 400
    assert len(letters) == before


def test_six_changes_in_an_hour_are_too_many(ana):
    cache.clear()
    here = sign_in(ana)
    prove(here)
    answers = [here.post(EMAIL, {"email": f"ana{number}@new.example.org"}) for number in range(6)]
    assert [answer.status_code for answer in answers] == [302] * 5 + [429]
    assert int(answers[-1]["Retry-After"]) > 3000


def test_who_only_holds_a_session_changes_no_address(ana):
    here = sign_in(ana)
    assert here.post(EMAIL, {"email": "m@new.example.org"}).url.startswith("/accounts/reauthenticate/")
    told = {"old_code": "BCDFGH", "new_code": "BCDFGH"}
    assert here.post(f"{EMAIL}codes/", told).url.startswith("/accounts/reauthenticate/")
