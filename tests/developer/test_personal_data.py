from datetime import UTC, datetime

import pytest

from apps.developer import keys
from apps.developer.models import ApiKey
from apps.developer.personal_data import ApiKeysData
from tests import build, cast

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def test_hands_out_and_erases_only_the_persons_keys():
    ana, mallory = build.account(owner=cast.ana()), build.account(owner=cast.mallory())
    key, _secret = keys.make_key(ana, "laptop", now=NOW)
    others, _secret = keys.make_key(mallory, "other", now=NOW)
    [(name, rows)] = ApiKeysData().export(ana.owner)
    assert (name, [row["hint"] for row in rows]) == ("keys", [key.hint])
    assert "secret_hash" not in rows[0]
    assert ApiKeysData().erase(ana.owner, now=NOW) == 1
    assert list(ApiKey.objects.all()) == [others]
