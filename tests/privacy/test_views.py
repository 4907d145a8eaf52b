import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import formats, timezone

from apps.accounts.adapters import CLOSED_ACCOUNT
from apps.core import clock
from apps.privacy import departures, erasures, exports
from apps.privacy.models import DataRequest
from apps.privacy.registry import STORES
from tests import build, cast
from tests.build import PASSWORD

pytestmark = pytest.mark.django_db
PAGE = "/settings/data/"
DELETE = f"{PAGE}delete/"
CLOSED = "/accounts/inactive/"


@pytest.fixture
def ana(client):
    person = cast.ana()
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    client.force_login(person)
    return person


@pytest.mark.parametrize("address", [PAGE, f"{PAGE}export/", f"{PAGE}delete/"])
def test_a_stranger_is_asked_to_sign_in(client, address):
    response = client.get(address) if address == PAGE else client.post(address)
    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/")
    assert not DataRequest.objects.exists()


def test_the_page_names_every_store(client, ana):
    page = client.get(PAGE).content.decode()
    assert all(str(store.title) in page for store in STORES)


def test_an_archive_is_asked_for_made_and_fetched(client, ana):
    assert client.post(f"{PAGE}export/").status_code == 302
    request = DataRequest.objects.get()
    assert "is being made" in client.get(PAGE).content.decode()
    exports.make_archive(request.pk, now=clock.now())
    address = f"{PAGE}export/{request.pk}/"
    assert address in client.get(PAGE).content.decode()
    response = client.get(address)
    assert (response["Content-Type"], response.content[:2]) == ("application/zip", b"PK")
    assert "no-store" in response["Cache-Control"]


def test_mallory_and_nobody_cannot_fetch_it(client, ana):
    request = exports.ask_export(ana, now=clock.now())
    exports.make_archive(request.pk, now=clock.now())
    client.force_login(cast.mallory())
    assert client.get(f"{PAGE}export/{request.pk}/").status_code == 404
    client.logout()
    assert client.get(f"{PAGE}export/{request.pk}/").status_code == 302


def prove(client):
    """Type the password once more, as what cannot be undone asks."""
    assert client.post("/accounts/reauthenticate/", {"password": PASSWORD}).status_code == 302


def leave(client, email="ana@example.org"):
    prove(client)
    return client.post(DELETE, {"email": email})


def test_who_did_not_prove_themselves_a_moment_ago_deletes_nothing(client, ana):
    answer = client.post(DELETE, {"email": "ana@example.org"})
    assert answer.url.startswith("/accounts/reauthenticate/?next=")
    assert not DataRequest.objects.exists()


def test_another_address_deletes_nothing(client, ana):
    response = leave(client, email="ana@example.com")
    assert response.status_code == 400
    assert "That is not the address of this account. Nothing was deleted." in response.content.decode()
    assert client.get(PAGE).status_code == 200
    assert not DataRequest.objects.exists()


def test_the_page_says_what_happens_and_when(client, ana):
    prove(client)
    page = client.get(DELETE).content.decode()
    day = formats.date_format(timezone.localtime(clock.now() + departures.WINDOW), "DATE_FORMAT")
    assert f"Until {day} you can come back" in page


def test_deleting_signs_out_everywhere_and_can_be_called_off_on_the_spot(client, ana):
    phone = Client()
    phone.force_login(ana)
    assert leave(client).url == CLOSED
    assert client.get(PAGE).status_code == 302
    assert phone.get(PAGE).status_code == 302
    assert "Keep my account" in client.get(CLOSED).content.decode()
    assert client.post(CLOSED).url == "/accounts/login/"
    assert DataRequest.objects.get().state == DataRequest.State.KEPT
    assert sign_in(Client()).url == "/chat/"


def sign_in(client, password=PASSWORD):
    return client.post("/accounts/login/", {"login": "ana@example.org", "password": password})


def test_signing_in_during_the_week_offers_to_come_back(client, ana):
    leave(client)
    elsewhere = Client()
    assert sign_in(elsewhere).url == CLOSED
    assert "_auth_user_id" not in elsewhere.session
    assert "Keep my account" in elsewhere.get(CLOSED).content.decode()
    elsewhere.post(CLOSED)
    assert sign_in(elsewhere).url == "/chat/"


def test_who_cannot_sign_in_cannot_call_it_off(client, ana):
    leave(client)
    stranger = Client()
    assert sign_in(stranger, password="guess").status_code == 200
    page = stranger.get(CLOSED).content.decode()
    assert "Keep my account" not in page
    stranger.post(CLOSED)
    assert DataRequest.objects.get().state == DataRequest.State.SCHEDULED


def test_what_was_proven_long_ago_calls_nothing_off(client, ana):
    leave(client)
    session = client.session
    session[CLOSED_ACCOUNT] = {**session[CLOSED_ACCOUNT], "at": session[CLOSED_ACCOUNT]["at"] - 11 * 60}
    session.save()
    client.post(CLOSED)
    assert DataRequest.objects.get().state == DataRequest.State.SCHEDULED


def test_the_link_of_the_letter_calls_it_off_but_not_by_being_looked_at(client, ana):
    leave(client)
    link = departures.link_of(DataRequest.objects.get())
    mailbox = Client()
    assert "Keep my account" in mailbox.get(link).content.decode()
    assert DataRequest.objects.get().state == DataRequest.State.SCHEDULED
    assert mailbox.post(link).url == "/accounts/login/"
    assert DataRequest.objects.get().state == DataRequest.State.KEPT
    assert mailbox.get(link).status_code == 404


def test_after_the_week_there_is_a_receipt_and_no_way_in(client, ana):
    leave(client)
    request = DataRequest.objects.get()
    assert "It will be erased on" in client.get(f"{PAGE}receipt/{request.pk}/").content.decode()
    erasures.continue_erasure(request.pk, now=clock.now() + departures.WINDOW)
    page = client.get(f"{PAGE}receipt/{request.pk}/").content.decode()
    assert "Your account is deleted" in page
    assert "ana@example.org" not in page
    assert "Keep my account" not in client.get(CLOSED).content.decode()
    assert sign_in(client).status_code == 200
    assert "_auth_user_id" not in client.session


def test_a_blocked_account_is_told_only_that_it_is_closed(ana):
    type(ana).objects.filter(pk=ana.pk).update(is_active=False)
    client = Client()
    assert sign_in(client).url == CLOSED
    assert "Keep my account" not in client.get(CLOSED).content.decode()


@pytest.mark.parametrize("is_administrator", [True, False])
def test_an_administrator_may_end_the_week_other_staff_may_not(client, ana, is_administrator):
    leave(client)
    dana = cast.dana()
    type(dana).objects.filter(pk=dana.pk).update(is_superuser=is_administrator)
    dana.user_permissions.set(Permission.objects.filter(content_type__app_label="privacy"))
    client.force_login(dana)
    chosen = {"action": "erase_at_once", "_selected_action": [str(DataRequest.objects.get().pk)]}
    client.post("/admin/privacy/datarequest/", chosen)
    state = DataRequest.objects.get().state
    assert state == (DataRequest.State.WAITING if is_administrator else DataRequest.State.SCHEDULED)


def test_staff_can_see_a_request_but_not_its_archive(client):
    request = exports.ask_export(build.person(email="eva@example.org"), now=clock.now())
    exports.make_archive(request.pk, now=clock.now())
    client.force_login(cast.dana())
    page = client.get(f"/admin/privacy/datarequest/{request.pk}/change/").content.decode()
    assert "eva@example.org" in page
    assert "archive" not in page.partition('id="content"')[2].lower()
