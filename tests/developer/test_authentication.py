from datetime import UTC, datetime

import pytest

from apps.core.errors import Unauthenticated
from apps.developer import authentication, keys
from tests import build

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def test_a_bearer_key_names_its_account_and_its_use_is_noted():
    account = build.account()
    _key, secret = keys.make_key(account, "one", now=NOW)
    for header in (f"Bearer {secret}", f"bearer  {secret} "):
        key = authentication.authenticate(header, now=NOW)
        assert key.account == account
    key.refresh_from_db()
    assert key.last_used_at == NOW


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic abc", "ck-alone"])
def test_without_a_bearer_key_it_says_where_to_put_one(header):
    with pytest.raises(Unauthenticated, match="Authorization header") as refused:
        authentication.authenticate(header, now=NOW)
    assert refused.value.code == "invalid_api_key"


@pytest.mark.parametrize("header", ["Bearer ck-unknown", "Bearer " + "x" * 5000, "Bearer ck-é\x00"])
def test_an_unknown_key_is_refused_without_saying_why(header):
    with pytest.raises(Unauthenticated, match="is not valid") as refused:
        authentication.authenticate(header, now=NOW)
    assert refused.value.code == "invalid_api_key"
