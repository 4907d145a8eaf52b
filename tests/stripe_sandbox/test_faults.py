"""What can be made to go wrong on purpose, and that each fault is used up."""

import time

import httpx
import pytest
import stripe as stripe_library

from tests.stripe_sandbox.conftest import client_for, make_customer, subscribe
from tests.support.stripe import start_sandbox


@pytest.mark.parametrize(
    ("kind", "status", "error"),
    [
        ("http_429", 429, stripe_library.RateLimitError),
        ("http_500", 500, stripe_library.APIError),
        ("http_409_lock", 409, stripe_library.APIError),
    ],
)
def test_a_call_fails_once_and_has_no_effect(sandbox, stripe, kind, status, error):
    sandbox.fault(kind, match="/v1/customers")
    stripe.products.create({"name": "not meant"})
    with pytest.raises(error) as refusal:
        stripe.customers.create({"name": "Ana"})
    assert refusal.value.http_status == status
    assert sandbox.objects("customer") == []
    stripe.customers.create({"name": "Ana"})


def test_a_call_that_hangs_before_has_no_effect(sandbox, stripe):
    sandbox.fault("timeout_before", match="/v1/customers", seconds=0)
    with pytest.raises(stripe_library.APIConnectionError):
        stripe.customers.create({"name": "Ana"})
    assert sandbox.objects("customer") == []


def test_a_call_that_hangs_after_took_effect_and_repeats_under_its_key(sandbox, stripe):
    sandbox.fault("timeout_after", match="/v1/customers", seconds=0)
    key = {"idempotency_key": "k1"}
    with pytest.raises(stripe_library.APIConnectionError):
        stripe.customers.create({"name": "Ana"}, key)
    again = client_for(sandbox).customers.create({"name": "Ana"}, key)
    assert [customer["id"] for customer in sandbox.objects("customer")] == [again.id]


def test_the_next_charge_of_one_customer_is_declined(sandbox, stripe, premium):
    lucky, unlucky = make_customer(stripe), make_customer(stripe)
    sandbox.fault("decline_next", match=unlucky.id, decline_code="insufficient_funds")
    assert subscribe(stripe, lucky, premium).status == "active"
    assert subscribe(stripe, unlucky, premium).status == "incomplete"
    assert sandbox.objects("charge")[0]["outcome"]["reason"] == "insufficient_funds"


def test_a_slow_call_takes_its_time_and_its_effect(sandbox, stripe):
    sandbox.fault("slow", match="/v1/customers", ms=300)
    begun = time.monotonic()
    stripe.customers.create({"name": "Ana"})
    assert 0.3 <= time.monotonic() - begun < 3
    assert len(sandbox.objects("customer")) == 1


@pytest.mark.parametrize("match", ["POST /v1/subscriptions", "cus"])
def test_a_fault_names_a_call_by_its_method_or_by_its_customer(sandbox, stripe, premium, match):
    customer = make_customer(stripe)
    sandbox.fault("http_500", match=customer.id if match == "cus" else match)
    stripe.prices.list()
    with pytest.raises(stripe_library.APIError):
        subscribe(stripe, customer, premium)
    assert sandbox.objects("subscription") == []
    assert subscribe(stripe, customer, premium).status == "active"


@pytest.fixture
def endpoint(stripe, receiver):
    return stripe.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["*"]})


@pytest.mark.parametrize(("kind", "letters"), [("webhook_drop", 0), ("webhook_duplicate", 2)])
def test_letters_are_lost_or_doubled(sandbox, stripe, endpoint, kind, letters):
    sandbox.fault(kind, match="customer.created")
    stripe.customers.create({"name": "Ana"})
    stripe.products.create({"name": "Premium"})
    assert [each["type"] for each in sandbox.deliver()] == ["customer.created"] * letters + ["product.created"]


@pytest.mark.parametrize(
    ("kind", "params", "range_s"), [("webhook_delay", {"seconds": 7}, (7, 7)), ("webhook_reorder", {}, (2, 4))]
)
def test_a_letter_waits_longer_than_the_one_after_it(sandbox, stripe, endpoint, kind, params, range_s):
    sandbox.fault(kind, match="customer.created", **params)
    customer = stripe.customers.create({"name": "Ana"})
    stripe.products.create({"name": "Premium"})
    letters = {
        each["type"]: each["next_at"] for each in sandbox.http.get("/_sandbox/api/deliveries").json()["deliveries"]
    }
    wait = letters["customer.created"] - letters["product.created"]
    assert range_s[0] - 1 < wait <= range_s[1]
    assert [each["type"] for each in sandbox.deliver()] == ["product.created", "customer.created"]
    assert stripe.customers.retrieve(customer.id).name == "Ana"


def test_a_lost_letter_shows_among_those_that_never_arrived(sandbox, stripe, endpoint):
    sandbox.fault("webhook_drop", match="customer.created")
    stripe.customers.create({"name": "Ana"})
    sandbox.deliver()
    assert [event.type for event in stripe.events.list({"delivery_success": False}).data] == ["customer.created"]


@pytest.mark.parametrize("fault", [{"kind": "webhook_signature"}, {"kind": "webhook_clock", "seconds": -3600}])
def test_a_letter_is_forged_or_old(sandbox, stripe, receiver, endpoint, fault):
    sandbox.fault(fault.pop("kind"), **fault)
    stripe.customers.create({"name": "Ana"})
    sandbox.deliver()
    signature, body = receiver.received[0]
    with pytest.raises(stripe_library.SignatureVerificationError):
        stripe_library.Webhook.construct_event(body, signature, endpoint.secret)


def test_a_letter_from_the_future_is_signed_properly(sandbox, stripe, receiver, endpoint):
    sandbox.fault("webhook_clock", seconds=3600)
    stripe.customers.create({"name": "Ana"})
    sandbox.deliver()
    signature, body = receiver.received[0]
    assert stripe_library.Webhook.construct_event(body, signature, endpoint.secret).type == "customer.created"


def test_a_stale_letter_shows_the_object_as_it_was(sandbox, stripe, receiver, endpoint):
    customer = stripe.customers.create({"name": "Ana"})
    sandbox.fault("webhook_stale", match="customer.updated")
    stripe.customers.update(customer.id, {"name": "Ben"})
    sandbox.deliver()
    event = stripe_library.Webhook.construct_event(*receiver.received[1][::-1], endpoint.secret)
    assert event.data.object.name == "Ana"


def test_a_letter_claims_another_version_or_to_be_live(sandbox, stripe, receiver, endpoint):
    sandbox.fault("webhook_version", version="2024-06-20")
    sandbox.fault("webhook_livemode")
    stripe.customers.create({"name": "Ana"})
    sandbox.deliver()
    event = stripe_library.Webhook.construct_event(*receiver.received[0][::-1], endpoint.secret)
    assert (event.api_version, event.livemode) == ("2024-06-20", True)


def test_one_fault_is_forgotten_and_the_other_stays(sandbox):
    first, second = sandbox.fault("http_429"), sandbox.fault("http_500")
    left = sandbox.http.request("DELETE", "/_sandbox/api/faults", json={"id": first["id"]}).json()["faults"]
    assert [fault["id"] for fault in left] == [second["id"]]


def test_what_is_armed_survives_a_restart(tmp_path):
    first = start_sandbox(tmp_path)
    first.fault("http_500", match="/v1/customers")
    first.stop()
    second = start_sandbox(tmp_path)
    answer = second.call("POST", "/v1/customers", {"name": "Ana"})
    second.stop()
    assert answer.status_code == 500


def test_faults_are_listed_and_forgotten(sandbox):
    sandbox.fault("http_429", count=3, match="/v1/prices")
    listed = sandbox.http.get("/_sandbox/api/faults").json()["faults"]
    assert [(fault["kind"], fault["left"], fault["match"]) for fault in listed] == [("http_429", 3, "/v1/prices")]
    sandbox.http.request("DELETE", "/_sandbox/api/faults", json={})
    assert sandbox.http.get("/_sandbox/api/faults").json()["faults"] == []


@pytest.mark.parametrize(
    "body", [{"kind": "nonsense"}, {"kind": "http_429", "count": 0}, {"kind": "slow", "params": 1}]
)
def test_refuses_a_fault_that_makes_no_sense(sandbox, body):
    assert sandbox.http.post("/_sandbox/api/faults", json=body).status_code == 400
    assert sandbox.http.get("/_sandbox/api/faults").json()["faults"] == []


def test_the_console_takes_json_only_so_that_no_other_site_can_drive_it(sandbox, stripe):
    stripe.customers.create({"name": "Ana"})
    answer = httpx.post(f"{sandbox.base}/_sandbox/api/reset", data={"a": "1"})
    assert answer.status_code == 400
    assert len(sandbox.objects("customer")) == 1
