import json

import pytest

from apps.billing import entitlements
from apps.core import clock
from apps.developer import completions, keys, tasks
from apps.inference import engine
from apps.inference.models import Run
from apps.usage import credits
from apps.usage.models import CreditAccount, UsageLedger, UsageReservation
from tests import cast

pytestmark = pytest.mark.django_db(transaction=True)
BODY = {
    "model": "chat-small",
    "messages": [{"role": "developer", "content": "Be brief."}, {"role": "user", "content": "Say hello"}],
    "temperature": 0.5,
    "max_tokens": 40,
    "stop": "END",
}


@pytest.fixture(autouse=True, scope="module")
def end_the_engine():
    yield
    engine.stop()


@pytest.fixture
def call():
    now = clock.now()
    _key, secret = keys.make_key(entitlements.account_for(cast.ana(), now=now), "tests", now=now)
    return completions.begin(f"Bearer {secret}", json.dumps(BODY).encode(), now=now)


def test_a_call_is_answered_paid_from_credit_and_forgotten(call, provider):
    provider.answer("Hel", "lo", usage=(1_000, 200))
    tasks.complete_request(str(call.run.pk))
    [asked] = provider.requests
    assert asked.body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Say hello"},
    ]
    assert {name: asked.body[name] for name in ("temperature", "max_tokens", "stop")} == {
        "temperature": 0.5,
        "max_tokens": 40,
        "stop": ["END"],
    }
    run = Run.objects.get()
    assert (run.state, run.request) == ("succeeded", {})
    row = UsageLedger.objects.get(kind="settle")
    price_micro = (1_000 * 50_000 + 200 * 150_000) // 1_000_000
    assert (row.channel, row.price_micro, row.credit_micro, row.currency) == ("api", price_micro, -price_micro, "usd")
    credit = CreditAccount.objects.get()
    assert (credit.balance_micro, credit.reserved_micro) == (1_000_000 - price_micro, 0)
    assert not UsageReservation.objects.filter(state="open").exists()
    spending = run.account.buckets.filter(meter="spending").order_by("limit_key").values_list("limit_key", "settled")
    assert list(spending) == [("spending:*:month", price_micro), (f"spending:{run.key_id}:month", price_micro)]
    assert not run.account.buckets.exclude(meter__in=["concurrency", "spending"]).exists()


def test_doing_it_again_changes_nothing(call, provider):
    for _time in range(2):
        tasks.complete_request(str(call.run.pk))
    assert len(provider.requests) == 1
    assert UsageLedger.objects.filter(kind="settle").count() == 1


def test_without_credit_no_model_is_called_and_nothing_is_held(call, provider):
    CreditAccount.objects.update(balance_micro=5)
    tasks.complete_request(str(call.run.pk))
    run = Run.objects.get()
    assert (run.state, run.error_code, run.request) == ("failed", "credit_spent", {})
    assert provider.requests == []
    assert credits.balance_micro(run.account) == 5
    assert not UsageReservation.objects.exists()
    assert not UsageLedger.objects.filter(kind="settle").exists()
