from datetime import timedelta

import pytest
from django.urls import reverse

from apps.billing import entitlements, plans
from apps.billing.meters import Meter
from apps.core import clock, ids
from apps.usage import credits, ledger
from apps.usage.limits import Demand
from apps.usage.models import SpendingCap
from tests import build, cast
from tests.usage.test_ledger import used

pytestmark = pytest.mark.django_db
PAGE, CAP = "/settings/usage/", "/settings/usage/cap/"


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
    assert "Full again:" in text
    assert "Get more" in text
    assert '<td class="number">16</td>' in text
    assert '<td class="number">4,800</td>' in text
    assert "80 % of 20 messages, Causerie Small" in text


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


def test_tokens_that_nobody_reported_are_marked(client):
    ana = cast.ana()
    answer(ana, provenance="estimated", input_tokens=1, output_tokens=2)
    client.force_login(ana)
    assert "≈</abbr> 3</td>" in client.get(PAGE).content.decode()


def test_shows_credit_grant_by_grant_in_the_order_of_spending(client):
    ana = cast.ana()
    account = entitlements.account_for(ana, now=clock.now())
    end = clock.now() + timedelta(days=400)
    for source, expires_at in (("purchase", None), ("promo", end)):
        facts = {"expires_at": expires_at, "now": clock.now()}
        build.act(credits.grant, account, source, f"test:{source}", 2_500_000, "usd", **facts)
    client.force_login(ana)
    text = client.get("/settings/credit/").content.decode()
    assert "5.00 USD" in text
    assert text.index("A present from us") < text.index("Bought")
    assert text.count("2.50 of 2.50") == 2
    assert f"{end:%Y}" in text


def test_a_cap_is_set_shown_and_taken_away(client):
    ana = cast.ana()
    client.force_login(ana)
    response = client.post(CAP, {"cap": "20,50"}, follow=True)
    assert response.redirect_chain == [(PAGE, 302)]
    text = response.content.decode()
    assert "Saved. It counts from the next call on." in text
    assert "0.00 of 20.50 USD" in text
    assert 'value="20.50"' in text
    assert SpendingCap.objects.get().amount_micro == 20_500_000
    client.post(CAP, {"cap": " "})
    assert not SpendingCap.objects.exists()
    assert "0.00 of" not in client.get(PAGE).content.decode()


@pytest.mark.parametrize("written", ["much", "-5", "1000001", "1e999", "0.001"])
def test_a_cap_that_is_no_amount_is_kept_in_the_field_and_nowhere_else(client, written):
    ana = cast.ana()
    client.force_login(ana)
    client.post(CAP, {"cap": "5"})
    response = client.post(CAP, {"cap": written})
    text = response.content.decode()
    assert response.status_code == 400
    assert f'value="{written}"' in text
    assert 'aria-invalid="true"' in text
    assert SpendingCap.objects.get().amount_micro == 5_000_000


def test_mallory_sets_only_her_own_cap(client):
    account = entitlements.account_for(cast.ana(), now=clock.now())
    build.cap(account=account, amount_micro=7)
    client.force_login(cast.mallory())
    client.post(CAP, {"cap": "1", "account": str(account.pk)})
    assert SpendingCap.objects.get(account=account).amount_micro == 7
    assert "0.00 of 1.00 USD" in client.get(PAGE).content.decode()


def test_nobody_is_sent_to_sign_in(client):
    response = client.get(PAGE)
    assert response.status_code == 302
    assert response["Location"] == f"/accounts/login/?next={PAGE}"
    assert client.post(PAGE).status_code == 405
    assert client.post(CAP, {"cap": "1"}).status_code == 302
    assert client.get(CAP).status_code == 405
    assert not SpendingCap.objects.exists()
