"""Webhooks: what a receiver gets, and how often."""

import hashlib
import hmac
import json
import time

import pytest
import stripe as stripe_library

from apps.stripe_sandbox import signatures
from tests.support.stripe import start_sandbox


@pytest.fixture
def endpoint(stripe, receiver):
    return stripe.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["*"]})


def verify(receiver, secret, number=0):
    signature, body = receiver.received[number]
    return stripe_library.Webhook.construct_event(body, signature, secret)


def test_signs_the_moment_and_the_raw_body():
    expected = hmac.new(b"whsec_a", b'1.{"a": 1}', hashlib.sha256).hexdigest()
    assert signatures.sign('{"a": 1}', 1, "whsec_a") == expected
    assert signatures.header("{}", 1, ["a", "b"]).startswith("t=1,v1=")
    assert signatures.header("{}", 1, ["a", "b"]).count("v1=") == 2


def test_a_letter_arrives_signed_and_the_event_counts_down(sandbox, stripe, receiver, endpoint):
    customer = stripe.customers.create({"name": "Ana"})
    assert stripe.events.list({"delivery_success": False}).data[0].pending_webhooks == 1
    assert [each["answer_status"] for each in sandbox.deliver()] == [200]
    event = verify(receiver, endpoint.secret)
    assert (event.type, event.data.object.id) == ("customer.created", customer.id)
    assert (event.api_version, event.livemode) == ("2026-10-28.endive", False)
    assert stripe.events.retrieve(event.id).pending_webhooks == 0
    assert sandbox.deliver() == []


def test_the_secret_is_shown_once(stripe, endpoint):
    assert endpoint.secret.startswith("whsec_")
    assert "secret" not in stripe.webhook_endpoints.retrieve(endpoint.id)
    assert "secret" not in stripe.webhook_endpoints.list().data[0]


def test_a_letter_is_repeated_with_the_same_body_and_a_new_signature(sandbox, stripe, receiver, endpoint):
    receiver.answers = [500, 302]
    stripe.customers.create({"name": "Ana"})
    states = [sandbox.deliver()[0] for _ in range(3)]
    assert [each["answer_status"] for each in states] == [500, 302, 200]
    assert [each["attempts"] for each in states] == [1, 2, 3]
    assert len({body for _, body in receiver.received}) == 1
    assert [verify(receiver, endpoint.secret, number).type for number in range(3)] == ["customer.created"] * 3


def test_waits_longer_after_each_failure(sandbox, stripe, receiver, endpoint):
    receiver.answers = [500, 500, 500]
    created = stripe.customers.create({"name": "Ana"}).created
    waits = [sandbox.deliver()[0]["next_at"] - created for _ in range(3)]
    assert waits == [pytest.approx(wait, abs=2.5) for wait in (2, 10, 60)]


def test_an_endpoint_gets_only_what_it_asked_for(sandbox, stripe, receiver):
    stripe.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["product.created"]})
    stripe.customers.create({"name": "Ana"})
    stripe.products.create({"name": "Premium"})
    assert [each["type"] for each in sandbox.deliver()] == ["product.created"]


def test_a_disabled_or_deleted_endpoint_gets_nothing(sandbox, stripe, receiver, endpoint):
    stripe.webhook_endpoints.update(endpoint.id, {"disabled": True})
    stripe.customers.create({"name": "Ana"})
    assert sandbox.deliver() == []
    stripe.webhook_endpoints.update(endpoint.id, {"disabled": False})
    stripe.customers.create({"name": "Ben"})
    stripe.webhook_endpoints.delete(endpoint.id)
    assert [each["state"] for each in sandbox.deliver()] == ["failed"]
    assert receiver.received == []


@pytest.mark.parametrize("url", ["https://example.com/hook", "http://10.0.0.1/hook", "ftp://127.0.0.1/x", "nonsense"])
def test_refuses_an_address_elsewhere(sandbox, stripe, url):
    with pytest.raises(stripe_library.InvalidRequestError) as refusal:
        stripe.webhook_endpoints.create({"url": url, "enabled_events": ["*"]})
    assert refusal.value.param == "url"
    assert sandbox.objects("webhook_endpoint") == []


def test_an_update_says_what_changed(sandbox, stripe, receiver, endpoint):
    customer = stripe.customers.create({"name": "Ana", "metadata": {"a": "1"}})
    stripe.customers.update(customer.id, {"name": "Ben", "metadata": {"b": "2"}})
    sandbox.deliver()
    data = json.loads(receiver.received[1][1])["data"]
    assert data["previous_attributes"] == {"name": "Ana"} | {"metadata": {"b": None}}
    assert "previous_attributes" not in json.loads(receiver.received[0][1])["data"]


def test_an_event_names_the_call_that_caused_it(stripe):
    stripe.customers.create({"name": "Ana"}, {"idempotency_key": "k1"})
    request = stripe.events.list().data[0].request
    assert (request.idempotency_key, request.id.startswith("req_")) == ("k1", True)


def test_delivers_by_itself_in_rough_weather_everything_and_some_twice(tmp_path, receiver):
    sandbox = start_sandbox(tmp_path, weather="rough", delivers=True, webhook_url=receiver.url)
    try:
        for number in range(30):
            sandbox.call("POST", "/v1/customers", {"name": str(number)})
        deadline = time.monotonic() + 20
        while len(receiver.received) < 31 and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(1)
    finally:
        sandbox.stop()
    names = [verify(receiver, "whsec_tests", n).data.object.name for n in range(len(receiver.received))]
    assert sorted(set(names), key=int) == [str(number) for number in range(30)]
    assert len(names) > 30
    assert names != sorted(names, key=int)


def test_a_rolled_secret_signs_beside_the_old_one(sandbox, stripe, receiver, endpoint):
    answer = sandbox.http.post(f"/_sandbox/api/endpoints/{endpoint.id}/roll", json={})
    stripe.customers.create({"name": "Ana"})
    sandbox.deliver()
    assert receiver.received[0][0].count("v1=") == 2
    for secret in (endpoint.secret, answer.json()["secret"]):
        assert verify(receiver, secret).type == "customer.created"
