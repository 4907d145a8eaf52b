import pytest

from tests import cast
from tests.usage.test_views import answer

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/balances"


def test_says_how_each_limit_stands(client):
    ana = cast.ana()
    answer(ana, count=2)
    client.force_login(ana)
    body = client.get(ADDRESS).json()
    balance, week = body["balances"]
    resets_at = balance.pop("resets_at")
    assert resets_at.endswith("Z")
    assert (week["limit"], week["used"], week["window_s"]) == (80, 2, 604_800)
    assert week["resets_at"] > resets_at
    assert body["plan"] == {"key": "free", "name": "Free"}
    assert balance == {
        "meter": "messages",
        "models": ["chat-small"],
        "limit": 20,
        "used": 2,
        "left": 18,
        "window_s": 10_800,
        "fallback_model": None,
        "plan_that_lifts": "premium",
    }


def test_mallory_sees_only_her_own(client):
    answer(cast.ana(), count=2)
    client.force_login(cast.mallory())
    balance, _week = client.get(ADDRESS).json()["balances"]
    assert (balance["used"], balance["left"], balance["resets_at"]) == (0, 20, None)


def test_nobody_is_told_to_sign_in(client):
    response = client.get(ADDRESS)
    assert response.status_code == 401
    assert "balances" not in response.json()
