import pytest
from django.urls import reverse

from apps.billing import entitlements, plans
from apps.billing.meters import Meter
from apps.core import clock, ids
from apps.usage import ledger
from apps.usage.limits import Demand
from tests import build, cast
from tests.usage.test_ledger import used

pytestmark = pytest.mark.django_db
PAGE = "/settings/usage/"


def answer(person, *, count=1, **facts):
    now = clock.now()
    account = entitlements.account_for(person, now=now)
    for _number in range(count):
        run_id = ids.uuid7()
        demand = Demand(plans.catalogue().plans["free"], "chat-small", {Meter.MESSAGES: 1})
        build.act(ledger.reserve, account, run_id, demand, timeout_s=60, now=now)
        build.act(ledger.settle, run_id, used(occurred_at=now, **facts), now=now)


def test_shows_what_is_left_and_what_was_used(client):
    ana = cast.ana()
    answer(ana, count=16, input_tokens=100, output_tokens=200)
    client.force_login(ana)
    text = client.get(reverse("usage:usage")).content.decode()
    assert "4 of 20 left" in text
    assert 'value="80"' in text
    assert "Causerie Small" in text
    assert "Full again at" in text
    assert "Get more" in text
    assert "<td>16</td>" in text
    assert "<td>4,800</td>" in text


def test_before_first_use_says_that_all_is_there(client):
    client.force_login(cast.ana())
    text = client.get(PAGE).content.decode()
    assert "20 of 20 left" in text
    assert "the window opens when you next use it" in text
    assert "Nothing yet." in text
    assert "Get more" not in text


def test_mallory_sees_only_her_own(client):
    answer(cast.ana(), count=3)
    client.force_login(cast.mallory())
    text = client.get(PAGE).content.decode()
    assert "20 of 20 left" in text
    assert "Nothing yet." in text


def test_nobody_is_sent_to_sign_in(client):
    response = client.get(PAGE)
    assert response.status_code == 302
    assert response["Location"] == f"/accounts/login/?next={PAGE}"
    assert client.post(PAGE).status_code == 405
