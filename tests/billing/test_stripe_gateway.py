"""The door to Stripe: our values, our exceptions, our keys."""

import pytest
from django.db import transaction

from apps.billing import stripe_gateway
from apps.billing.errors import MissingAtStripe, PaymentRefused, PaymentsAway
from apps.billing.stripe_gateway import calls
from tests.house.source import ROOT

BACKGROUND = stripe_gateway.BACKGROUND  # as it is, before a test is given more


@pytest.fixture
def gateway(sandbox):
    return stripe_gateway.patient()


@pytest.mark.django_db
def test_no_call_inside_a_transaction(gateway, sandbox):
    with transaction.atomic(), pytest.raises(RuntimeError, match="No network inside a transaction"):
        gateway.create_customer("ana@example.org", "account", key="k")
    assert sandbox.objects("customer") == []


@pytest.mark.django_db
class TestKeys:
    def test_the_same_key_makes_one_customer(self, gateway, sandbox):
        first = gateway.create_customer("ana@example.org", "account", key="one")
        assert gateway.create_customer("ana@example.org", "account", key="one") == first
        assert len(sandbox.objects("customer")) == 1

    def test_every_post_carries_our_key(self, gateway, sandbox):
        gateway.create_customer("ana@example.org", "account", key="ours")
        created = [event for event in sandbox.objects("event") if event["type"] == "customer.created"]
        assert [event["request"]["idempotency_key"] for event in created] == ["ours"]

    def test_the_same_key_for_something_else_is_refused(self, gateway):
        gateway.create_customer("ana@example.org", "account", key="one")
        with pytest.raises(PaymentRefused) as problem:
            gateway.create_customer("ben@example.org", "account", key="one")
        assert problem.value.code == "idempotency_error"

    def test_an_answer_that_got_lost_is_given_again(self, gateway, sandbox):
        sandbox.fault("timeout_after", count=1, match="/v1/customers", seconds=0.05)
        gateway.create_customer("ana@example.org", "account", key="one")
        assert len(sandbox.objects("customer")) == 1


@pytest.mark.django_db
class TestErrors:
    def test_what_is_not_there(self, gateway):
        with pytest.raises(MissingAtStripe):
            gateway.fetch_customer("cus_none")

    def test_what_makes_no_sense(self, gateway):
        with pytest.raises(PaymentRefused) as problem:
            gateway.create_price({"currency": "usd", "product": "none"}, key="p")
        assert problem.value.param == "unit_amount"
        assert "req_" not in str(problem.value.sentence)

    def test_slowing_down_is_tried_again(self, gateway, sandbox):
        sandbox.fault("http_429", count=2, match="/v1/products")
        assert list(gateway.list_products()) == []

    def test_slowing_down_has_an_end(self, sandbox):
        sandbox.fault("http_429", count=5, match="/v1/products")
        with pytest.raises(PaymentsAway) as problem:
            list(stripe_gateway.brisk().list_products())
        assert (problem.value.cause, problem.value.spends_key) == ("RateLimitError", False)

    def test_stripes_own_fault(self, sandbox):
        sandbox.fault("http_500", count=5, match="/v1/products")
        with pytest.raises(PaymentsAway) as problem:
            list(stripe_gateway.brisk().list_products())
        assert problem.value.spends_key is True

    def test_nobody_there(self, settings):
        settings.STRIPE_API_BASE = "http://127.0.0.1:9"
        with pytest.raises(PaymentsAway) as problem:
            list(stripe_gateway.brisk().list_products())
        assert (problem.value.cause, problem.value.spends_key) == ("APIConnectionError", False)

    def test_a_wrong_key_is_no_persons_business(self, sandbox, settings):
        settings.STRIPE_SECRET_KEY = "sk_wrong_0123456789"
        with pytest.raises(PaymentsAway) as problem:
            list(stripe_gateway.brisk().list_products())
        assert "0123456789" not in str(problem.value.sentence)


@pytest.mark.django_db
def test_lists_are_read_to_their_end(gateway, monkeypatch):
    monkeypatch.setattr(calls, "PAGE", 2)
    for number in range(5):
        gateway.create_product(f"plan_{number}", f"Plan {number}", key=f"product-{number}")
    assert len(list(gateway.list_products())) == 5


def test_secrets_do_not_show(settings):
    settings.STRIPE_SECRET_KEY = "sk_test_secret"
    assert repr(stripe_gateway.patient()) == "<Gateway to Stripe>"


def test_background_work_leaves_room_after_a_burst(monkeypatch):
    slept = []
    monkeypatch.setattr(calls, "BURST", 3)
    gateway = stripe_gateway.Gateway("http://127.0.0.1:9", "sk_test_x", BACKGROUND)
    monkeypatch.setattr(calls.time, "monotonic", lambda: gateway._room_at)
    monkeypatch.setattr(calls.time, "sleep", slept.append)
    for _ in range(5):
        gateway._wait_for_turn()
    assert slept == pytest.approx([0.1, 0.2])


def test_only_the_gateway_knows_the_library():
    rooms = [path for folder in ("apps", "project") for path in (ROOT / folder).rglob("*.py")]
    importers = [path for path in rooms if "\nimport stripe\n" in path.read_text(encoding="utf-8")]
    assert importers == [ROOT / "apps/billing/stripe_gateway/calls.py"]
