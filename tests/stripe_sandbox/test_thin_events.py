"""Thin events: listed and fetched over v2, sent to endpoints that take them, told of usage that nobody can bill."""

import json

import pytest
import stripe as stripe_library

from tests.stripe_sandbox.conftest import make_customer
from tests.stripe_sandbox.test_meters import make_meter, report, used


@pytest.fixture
def client(sandbox):
    addresses = {"api": sandbox.base, "meter_events": sandbox.base}
    return stripe_library.StripeClient(sandbox.secret_key, base_addresses=addresses, max_network_retries=0)


@pytest.fixture
def destination(sandbox, receiver):
    """An address that takes the thin form, with its secret."""
    return sandbox.thin_endpoint(receiver.url)


def letters(receiver):
    return [json.loads(body) for _, body in receiver.received]


def test_a_thin_letter_names_the_object_and_the_snapshot(sandbox, stripe, client, receiver, destination):
    customer = make_customer(stripe, card=None)
    sandbox.deliver_all()
    signature, body = receiver.received[0]
    parsed = client.parse_event_notification(body, signature, destination["webhook_endpoint"]["signing_secret"])
    snapshot = stripe.events.list().data[0]
    assert (parsed.type, parsed.related_object.id, parsed.related_object.type) == (
        "v1.customer.created",
        customer.id,
        "customer",
    )
    assert parsed.related_object.url == f"/v1/customers/{customer.id}"
    assert json.loads(body)["snapshot_event"] == snapshot.id
    assert "data" not in json.loads(body)
    assert parsed.fetch_related_object().id == customer.id
    fetched = client.v2.core.events.retrieve(parsed.id)
    assert (fetched.snapshot_event, fetched.type) == (snapshot.id, "v1.customer.created")
    assert snapshot.pending_webhooks == 0


def test_both_forms_are_sent_side_by_side(sandbox, stripe, receiver, destination):
    stripe.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["customer.created"]})
    make_customer(stripe, card=None)
    sandbox.deliver_all()
    thin, snapshot = sorted(letters(receiver), key=lambda letter: letter["object"] == "event")
    assert (thin["object"], snapshot["object"]) == ("v2.core.event", "event")
    assert thin["snapshot_event"] == snapshot["id"]


def test_a_destination_takes_only_what_it_asked_for(sandbox, stripe, receiver):
    sandbox.thin_endpoint(receiver.url, enabled_events=["v1.product.created"])
    make_customer(stripe, card=None)
    stripe.products.create({"name": "x"})
    sandbox.deliver_all()
    assert [letter["type"] for letter in letters(receiver)] == ["v1.product.created"]


def test_destinations_are_listed_apart_and_keep_their_secret(stripe, client, receiver, destination):
    assert destination["webhook_endpoint"]["signing_secret"].startswith("whsec_")
    (listed,) = client.v2.core.event_destinations.list().data
    assert (listed.id, listed.event_payload, listed.webhook_endpoint) == (destination["id"], "thin", None)
    assert stripe.webhook_endpoints.list().data == []
    assert client.v2.core.event_destinations.retrieve(listed.id).name == "thin"
    client.v2.core.event_destinations.delete(listed.id)
    assert client.v2.core.event_destinations.list().data == []
    with pytest.raises(stripe_library.InvalidRequestError):
        client.v2.core.event_destinations.retrieve(listed.id)


@pytest.mark.parametrize(
    "change",
    [
        {"webhook_endpoint": {"url": "https://example.com/hook"}},
        {"snapshot_api_version": "2026-10-28.endive"},
        {"event_payload": "fat"},
        {"surprise": "1"},
    ],
)
def test_refuses_a_destination_it_cannot_serve(client, receiver, change):
    fields = {"name": "x", "type": "webhook_endpoint", "event_payload": "thin", "enabled_events": ["*"]}
    fields |= {"webhook_endpoint": {"url": receiver.url}}
    with pytest.raises(stripe_library.InvalidRequestError):
        client.v2.core.event_destinations.create({**fields, **change})
    assert client.v2.core.event_destinations.list().data == []


def test_events_are_listed_in_pages_and_by_type_and_object(stripe, client):
    customers = [make_customer(stripe, card=None) for _ in range(3)]
    stripe.products.create({"name": "x"})
    every = client.v2.core.events.list({"limit": 2})
    assert [event.type for event in every.auto_paging_iter()] == ["v1.product.created", *["v1.customer.created"] * 3]
    by_type = client.v2.core.events.list({"types": ["v1.product.created"]})
    assert [event.type for event in by_type.data] == ["v1.product.created"]
    by_object = client.v2.core.events.list({"object_id": customers[1].id})
    assert [event.related_object.id for event in by_object.data] == [customers[1].id]
    assert client.v2.core.events.list({"created": {"gt": "2090-01-01T00:00:00Z"}}).data == []
    with pytest.raises(stripe_library.InvalidRequestError):
        client.v2.core.events.retrieve("evt_test_x")


def test_usage_over_v2_is_json_with_written_moments(stripe, client, clock):
    meter, customer = make_meter(stripe), make_customer(stripe, clock=clock)
    payload = {"stripe_customer_id": customer.id, "value": "25"}
    fields = {"event_name": "api_tokens", "payload": payload, "identifier": "a"}
    taken = client.v2.billing.meter_events.create({**fields, "timestamp": "2026-01-01T01:00:00+01:00"})
    assert (taken.object, taken.timestamp, taken.identifier) == (
        "v2.billing.meter_event",
        "2026-01-01T00:00:00.000Z",
        "a",
    )
    assert used(stripe, meter.id, customer)[0][1] == 25
    with pytest.raises(stripe_library.InvalidRequestError, match="already exists with identifier a"):
        client.v2.billing.meter_events.create(fields)
    undo = {"event_name": "api_tokens", "type": "cancel", "cancel": {"identifier": "a"}}
    assert client.v2.billing.meter_event_adjustments.create(undo).status == "complete"
    assert used(stripe, meter.id, customer)[0][1] == 0


@pytest.mark.parametrize(
    "change",
    [{"timestamp": "2026-01-01"}, {"timestamp": 1767225600}, {"payload": {"value": 1}}, {"surprise": "1"}],
)
def test_refuses_usage_that_is_no_usage_of_v2(sandbox, stripe, client, clock, change):
    meter, customer = make_meter(stripe), make_customer(stripe, clock=clock)
    fields = {"event_name": "api_tokens", "payload": {"stripe_customer_id": customer.id, "value": "1"}}
    with pytest.raises(stripe_library.InvalidRequestError):
        client.v2.billing.meter_events.create({**fields, **change})
    assert used(stripe, meter.id, customer)[0][1] == 0


def test_usage_of_an_unknown_customer_is_reported_later(sandbox, stripe, client, receiver, destination):
    meter = make_meter(stripe)
    payload = {"stripe_customer_id": "cus_x", "value": "1"}
    taken = stripe.billing.meter_events.create({"event_name": "api_tokens", "payload": payload, "identifier": "lost"})
    assert taken.identifier == "lost"
    sandbox.deliver_all()
    (letter,) = [each for each in letters(receiver) if each["type"] == "v1.billing.meter.error_report_triggered"]
    assert (letter["related_object"]["id"], "data" in letter) == (meter.id, False)
    reason = client.v2.core.events.retrieve(letter["id"]).data.reason
    assert (reason.error_count, reason.error_types[0].code) == (1, "meter_event_customer_not_found")
    assert reason.error_types[0].sample_errors[0].request.identifier == "lost"


def test_usage_without_a_meter_is_reported_later(sandbox, stripe, client, clock, receiver, destination):
    report(stripe, make_customer(stripe, clock=clock), 1)
    sandbox.deliver_all()
    (letter,) = [each for each in letters(receiver) if each["type"] == "v1.billing.meter.no_meter_found"]
    assert letter["related_object"] is None
    assert client.v2.core.events.retrieve(letter["id"]).data.reason.error_types[0].code == "no_meter"
