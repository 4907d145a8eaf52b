import re
from uuid import UUID

import pytest
from django.urls import reverse

from apps.billing import entitlements
from apps.core import clock
from apps.developer import keys
from apps.developer.models import ApiKey
from apps.usage.models import SpendingCap
from tests import cast

pytestmark = pytest.mark.django_db
PAGE = "/settings/keys/"


def key_of(person, name="laptop"):
    now = clock.now()
    return keys.make_key(entitlements.account_for(person, now=now), name, now=now)


def test_a_key_is_made_and_shown_once(client):
    client.force_login(cast.ana())
    response = client.post(reverse("developer:keys"), {"name": "laptop"})
    text = response.content.decode()
    [secret] = set(re.findall(r"ck-[A-Za-z0-9_-]{43}", text))
    assert keys.find_key(secret, now=clock.now()) == ApiKey.objects.get()
    assert "Your key “laptop” is ready" in text
    assert f"api_key=&quot;{secret}&quot;" in text or f'api_key="{secret}"' in text
    assert "no-store" in response["Cache-Control"]
    again = client.get(PAGE).content.decode()
    assert secret not in again
    assert ApiKey.objects.get().hint in again


def test_shows_examples_with_the_sites_own_address(client, settings):
    client.force_login(cast.ana())
    text = client.get(PAGE).content.decode()
    assert f"curl {settings.SITE_URL}/v1/chat/completions" in text
    assert '"model": "chat-small"' in text.replace("&quot;", '"')
    assert "No keys yet." in text


def test_a_key_without_a_name_is_not_made(client):
    client.force_login(cast.ana())
    response = client.post(PAGE, {"name": " "})
    assert response.status_code == 400
    assert "Give the key a name" in response.content.decode()
    assert not ApiKey.objects.exists()


def test_its_owner_revokes_a_key(client):
    ana = cast.ana()
    key, secret = key_of(ana)
    client.force_login(ana)
    response = client.post(reverse("developer:revoke-key", args=[key.pk]))
    assert (response.status_code, response["Location"]) == (302, PAGE)
    assert keys.find_key(secret, now=clock.now()) is None
    key_of(ana, "phone")
    text = client.get(PAGE).content.decode()
    assert text.index("phone") < text.index("laptop") < text.index("Revoked")


def test_a_key_gets_a_cap_of_its_own(client):
    ana = cast.ana()
    key, _secret = key_of(ana)
    client.force_login(ana)
    assert "0.00 USD, no cap" in client.get(PAGE).content.decode()
    response = client.post(reverse("developer:cap-key", args=[key.pk]), {"cap": "5"}, follow=True)
    assert "0.00 of 5.00 USD" in response.content.decode()
    assert SpendingCap.objects.get().key_id == key.pk
    refused = client.post(reverse("developer:cap-key", args=[key.pk]), {"cap": "lots"})
    assert refused.status_code == 400
    assert "Write an amount such as 20" in refused.content.decode()
    client.post(reverse("developer:cap-key", args=[key.pk]), {"cap": ""})
    assert not SpendingCap.objects.exists()


def test_a_revoked_key_gets_no_cap(client):
    ana = cast.ana()
    key, _secret = key_of(ana)
    keys.revoke_key(key.account, key.pk, now=clock.now())
    client.force_login(ana)
    assert client.post(f"{PAGE}{key.pk}/cap/", {"cap": "5"}).status_code == 404
    assert not SpendingCap.objects.exists()


def test_mallory_neither_sees_nor_revokes_it(client):
    key, secret = key_of(cast.ana())
    client.force_login(cast.mallory())
    assert key.hint not in client.get(PAGE).content.decode()
    for key_id in (key.pk, UUID(int=1)):
        assert client.post(f"{PAGE}{key_id}/revoke/").status_code == 404
        assert client.post(f"{PAGE}{key_id}/cap/", {"cap": "0"}).status_code == 404
    assert not SpendingCap.objects.exists()
    assert keys.find_key(secret, now=clock.now()) == key


def test_nobody_is_sent_to_sign_in(client):
    key, secret = key_of(cast.ana())
    posted = [client.post(f"{PAGE}{key.pk}/revoke/"), client.post(f"{PAGE}{key.pk}/cap/", {"cap": "0"})]
    for response in (client.get(PAGE), client.post(PAGE, {"name": "x"}), *posted):
        assert response.status_code == 302
        assert response["Location"].startswith("/accounts/login/")
    assert (ApiKey.objects.count(), SpendingCap.objects.count()) == (1, 0)
    assert keys.find_key(secret, now=clock.now()) == key


def test_a_link_cannot_revoke(client):
    ana = cast.ana()
    key, secret = key_of(ana)
    client.force_login(ana)
    assert client.get(f"{PAGE}{key.pk}/revoke/").status_code == 405
    assert keys.find_key(secret, now=clock.now()) == key


def test_staff_see_keys_and_not_their_hashes(client):
    key, _secret = key_of(cast.ana())
    client.force_login(cast.dana())
    assert key.hint in client.get("/admin/developer/apikey/").content.decode()
    page = client.get(f"/admin/developer/apikey/{key.pk}/change/")
    assert page.status_code == 200
    assert key.secret_hash not in page.content.decode()
