from datetime import timedelta

import pytest
from django.test import Client

from apps.core import clock
from apps.privacy import erasures, exports
from apps.privacy.models import DataRequest
from apps.privacy.registry import STORES
from tests import build, cast
from tests.build import PASSWORD

pytestmark = pytest.mark.django_db
PAGE = "/settings/data/"


@pytest.fixture
def ana(client):
    person = cast.ana()
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


def test_a_wrong_password_deletes_nothing(client, ana):
    response = client.post(f"{PAGE}delete/", {"password": "guess"})
    assert response.status_code == 400
    assert "That is not your password. Nothing was deleted." in response.content.decode()
    assert client.get(PAGE).status_code == 200
    assert not DataRequest.objects.exists()


def test_deleting_signs_out_everywhere_and_leaves_a_receipt(client, ana):
    phone = Client()
    phone.force_login(ana)
    response = client.post(f"{PAGE}delete/", {"password": PASSWORD})
    request = DataRequest.objects.get()
    receipt = f"{PAGE}receipt/{request.pk}/"
    assert (response.status_code, response["Location"]) == (302, receipt)
    assert client.get(PAGE).status_code == 302
    assert phone.get(PAGE).status_code == 302
    assert "being deleted" in client.get(receipt).content.decode()
    erasures.continue_erasure(request.pk, now=clock.now() + timedelta(minutes=1))
    page = client.get(receipt).content.decode()
    assert "Your account is deleted" in page
    assert "ana@example.org" not in page
    signed_in = client.post("/accounts/login/", {"login": "ana@example.org", "password": PASSWORD})
    assert signed_in.status_code == 200
    assert "_auth_user_id" not in client.session


def test_staff_can_see_a_request_but_not_its_archive(client):
    request = exports.ask_export(build.person(email="eva@example.org"), now=clock.now())
    exports.make_archive(request.pk, now=clock.now())
    client.force_login(cast.dana())
    page = client.get(f"/admin/privacy/datarequest/{request.pk}/change/").content.decode()
    assert "eva@example.org" in page
    assert "archive" not in page.partition('id="content"')[2].lower()
