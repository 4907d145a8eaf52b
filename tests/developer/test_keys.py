import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from apps.core.errors import Conflict, Invalid, Missing
from apps.developer import keys
from apps.developer.models import ApiKey
from apps.usage import credits
from tests import build

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def account():
    return build.account()


def test_a_key_is_random_and_kept_only_as_its_hash(account):
    key, secret = keys.make_key(account, "  laptop ", now=NOW)
    assert re.fullmatch(r"ck-[A-Za-z0-9_-]{43}", secret)
    assert key.name == "laptop"
    assert key.hint == f"{secret[:7]}…{secret[-4:]}"
    assert key.secret_hash == keys.digest_of(secret)
    assert secret not in str(ApiKey.objects.values())


def test_the_first_key_brings_the_starter_credit_and_the_second_none(account):
    keys.make_key(account, "one", now=NOW)
    assert credits.balance_micro(account) == 1_000_000
    keys.make_key(account, "two", now=NOW)
    assert credits.balance_micro(account) == 1_000_000


@pytest.mark.parametrize("name", ["", "   ", "x" * 81, "a\x00b"])
def test_a_name_is_needed_and_may_not_be_endless(account, name):
    with pytest.raises(Invalid) as refused:
        keys.make_key(account, name, now=NOW)
    assert refused.value.field == "name"
    assert not ApiKey.objects.exists()
    assert credits.balance_micro(account) == 0


def test_fifty_live_keys_are_enough(account, monkeypatch):
    monkeypatch.setattr(keys, "MOST_LIVE_KEYS", 1)
    first, _secret = keys.make_key(account, "one", now=NOW)
    with pytest.raises(Conflict):
        keys.make_key(account, "two", now=NOW)
    keys.revoke_key(account, first.pk, now=NOW)
    keys.make_key(account, "two", now=NOW)
    assert ApiKey.objects.live(at=NOW).count() == 1


def test_finds_a_live_key_by_its_secret(account):
    key, secret = keys.make_key(account, "one", now=NOW)
    assert keys.find_key(secret, now=NOW) == key
    assert keys.find_key(secret[:-1], now=NOW) is None
    assert keys.find_key(key.secret_hash, now=NOW) is None


def test_an_expired_or_revoked_key_is_not_found(account):
    key, secret = keys.make_key(account, "one", now=NOW)
    ApiKey.objects.update(expires_at=NOW + timedelta(days=1))
    assert keys.find_key(secret, now=NOW) == key
    assert keys.find_key(secret, now=NOW + timedelta(days=1)) is None
    keys.revoke_key(account, key.pk, now=NOW)
    assert keys.find_key(secret, now=NOW) is None


def test_a_key_of_somebody_who_may_not_sign_in_is_not_found(account):
    _key, secret = keys.make_key(account, "one", now=NOW)
    account.owner.is_active = False
    account.owner.save(update_fields=["is_active"])
    assert keys.find_key(secret, now=NOW) is None


def test_use_is_noted_at_most_once_a_minute(account):
    key, _secret = keys.make_key(account, "one", now=NOW)
    for seconds, noted in [(0, 0), (60, 0), (61, 61)]:
        keys.note_use(key, now=NOW + timedelta(seconds=seconds))
        key.refresh_from_db()
        assert key.last_used_at == NOW + timedelta(seconds=noted)


def test_revoking_again_keeps_the_first_time(account):
    key, _secret = keys.make_key(account, "one", now=NOW)
    keys.revoke_key(account, key.pk, now=NOW)
    keys.revoke_key(account, key.pk, now=NOW + timedelta(days=1))
    key.refresh_from_db()
    assert key.revoked_at == NOW


def test_nobody_revokes_anothers_key(account):
    key, _secret = keys.make_key(account, "one", now=NOW)
    other = build.account(owner=build.person(email="mallory@example.org"))
    for wanted in (key.pk, UUID(int=7)):
        with pytest.raises(Missing):
            keys.revoke_key(other, wanted, now=NOW)
    key.refresh_from_db()
    assert key.revoked_at is None
