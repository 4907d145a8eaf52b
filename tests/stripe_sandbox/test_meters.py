"""Meters: usage is taken once, added up by customer and time, refused where it makes no sense, taken back for a day."""

import pytest
import stripe as stripe_library

from tests.stripe_sandbox.conftest import DAY, JANUARY, event_types, make_customer

HOUR = 3600


@pytest.fixture
def meter(stripe):
    return make_meter(stripe)


@pytest.fixture
def customer(stripe, clock):
    return make_customer(stripe, clock=clock)


def make_meter(stripe, name="api_tokens", formula="sum", **fields):
    fields = {"display_name": "API tokens", "event_name": name, "default_aggregation": {"formula": formula}, **fields}
    return stripe.billing.meters.create(fields)


def report(stripe, customer, value, **fields):
    payload = {"stripe_customer_id": customer.id, "value": str(value)}
    return stripe.billing.meter_events.create({"event_name": "api_tokens", "payload": payload, **fields})


def used(stripe, meter, customer, start=JANUARY - 40 * DAY, end=JANUARY + 40 * DAY, **fields):
    span = {"customer": customer.id, "start_time": start, "end_time": end, **fields}
    return [
        (each.start_time, each.aggregated_value) for each in stripe.billing.meters.event_summaries.list(meter, span)
    ]


def refusal_of(act, *args, **fields):
    with pytest.raises(stripe_library.InvalidRequestError) as refusal:
        act(*args, **fields)
    return refusal.value


def test_a_meter_is_made_renamed_and_turned_off_and_on(stripe):
    meter = make_meter(stripe)
    assert (meter.status, meter.customer_mapping.event_payload_key, meter.value_settings.event_payload_key) == (
        "active",
        "stripe_customer_id",
        "value",
    )
    assert stripe.billing.meters.update(meter.id, {"display_name": "Tokens"}).display_name == "Tokens"
    off = stripe.billing.meters.deactivate(meter.id)
    assert (off.status, off.status_transitions.deactivated_at is not None) == ("inactive", True)
    assert refusal_of(stripe.billing.meters.update, meter.id, {"display_name": "x"}).code == "archived_meter"
    assert [each.id for each in stripe.billing.meters.list({"status": "inactive"})] == [meter.id]
    assert stripe.billing.meters.reactivate(meter.id).status == "active"
    assert stripe.billing.meters.retrieve(meter.id).display_name == "Tokens"
    assert event_types(stripe) == [
        "billing.meter.created",
        "billing.meter.updated",
        "billing.meter.deactivated",
        "billing.meter.reactivated",
    ]


def test_two_active_meters_cannot_share_a_name(stripe, meter):
    assert refusal_of(make_meter, stripe).code == "resource_already_exists"
    stripe.billing.meters.deactivate(meter.id)
    make_meter(stripe)
    assert refusal_of(stripe.billing.meters.reactivate, meter.id).code == "resource_already_exists"
    assert len(stripe.billing.meters.list({"status": "active"}).data) == 1


def test_usage_is_added_up_for_each_customer(stripe, meter, customer, clock):
    other = make_customer(stripe, clock=clock)
    taken = report(stripe, customer, "12.5", identifier="a")
    assert (taken.identifier, taken.timestamp, taken.payload.to_dict()["value"]) == ("a", JANUARY, "12.5")
    report(stripe, customer, 30)
    report(stripe, other, 7)
    assert used(stripe, meter.id, customer) == [(JANUARY - 40 * DAY, 42.5)]
    assert used(stripe, meter.id, other) == [(JANUARY - 40 * DAY, 7)]
    assert used(stripe, meter.id, other, end=JANUARY) == [(JANUARY - 40 * DAY, 0)]


def test_summaries_by_hour_and_by_day_newest_first(stripe, meter, customer):
    for at, value in ((JANUARY - DAY, 1), (JANUARY - HOUR, 2), (JANUARY - HOUR + 60, 4), (JANUARY, 8)):
        report(stripe, customer, value, timestamp=at)
    assert used(stripe, meter.id, customer, value_grouping_window="hour") == [
        (JANUARY, 8),
        (JANUARY - HOUR, 6),
        (JANUARY - DAY, 1),
    ]
    assert used(stripe, meter.id, customer, value_grouping_window="day") == [(JANUARY, 8), (JANUARY - DAY, 7)]


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"start_time": JANUARY + 1}, "start_time"),
        ({"end_time": JANUARY - 50 * DAY}, "start_time"),
        ({"start_time": JANUARY + 60, "value_grouping_window": "hour"}, "start_time"),
        ({"end_time": JANUARY + HOUR, "value_grouping_window": "day"}, "end_time"),
        ({"customer": "cus_x"}, "customer"),
    ],
)
def test_refuses_spans_that_do_not_align(stripe, meter, customer, fields, param):
    span = {"customer": customer.id, "start_time": JANUARY, "end_time": JANUARY + DAY, **fields}
    assert refusal_of(stripe.billing.meters.event_summaries.list, meter.id, span).param == param


@pytest.mark.parametrize(("formula", "total"), [("sum", 12), ("count", 3), ("last", 2)])
def test_each_formula_adds_up_in_its_own_way(stripe, customer, formula, total):
    meter = make_meter(stripe, formula=formula)
    for value in (3, 7, 2):
        report(stripe, customer, value)
    assert used(stripe, meter.id, customer) == [(JANUARY - 40 * DAY, total)]


def test_an_identifier_is_taken_once_in_24_hours(stripe, meter, customer, clock):
    report(stripe, customer, 5, identifier="run-1")
    refused = refusal_of(report, stripe, customer, 5, identifier="run-1")
    assert refused.user_message == "An event already exists with identifier run-1."
    assert used(stripe, meter.id, customer)[0][1] == 5
    clock.advance(hours=25)
    report(stripe, customer, 5, identifier="run-1")
    assert used(stripe, meter.id, customer)[0][1] == 10


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"timestamp": JANUARY - 35 * DAY - 1}, "timestamp_too_far_in_past"),
        ({"timestamp": JANUARY + 301}, "timestamp_in_future"),
        ({"payload": {"stripe_customer_id": "cus_x", "value": "many"}}, "meter_event_invalid_value"),
        ({"payload": {"stripe_customer_id": "cus_x", "value": "0.0000000000001"}}, "meter_event_invalid_value"),
        ({"payload": {"stripe_customer_id": "cus_x"}}, "meter_event_value_not_found"),
        ({"payload": {"value": "1"}}, "meter_event_no_customer_defined"),
        ({"identifier": "x" * 101}, None),
    ],
)
def test_refuses_usage_that_makes_no_sense(stripe, meter, customer, fields, code):
    assert refusal_of(report, stripe, customer, 1, **fields).code == code
    assert used(stripe, meter.id, customer)[0][1] == 0


@pytest.mark.parametrize("at", [JANUARY - 35 * DAY, JANUARY + 300])
def test_takes_usage_at_the_edges_of_time(stripe, meter, customer, at):
    assert report(stripe, customer, 1, timestamp=at).timestamp == at
    assert used(stripe, meter.id, customer)[0][1] == 1


def test_a_meter_that_is_off_takes_nothing(stripe, meter, customer):
    stripe.billing.meters.deactivate(meter.id)
    assert refusal_of(report, stripe, customer, 1).code == "archived_meter"
    assert used(stripe, meter.id, customer)[0][1] == 0


def test_usage_is_taken_back_within_a_day_and_not_later(stripe, meter, customer, clock):
    report(stripe, customer, 5, identifier="first")
    report(stripe, customer, 3, identifier="second")
    fields = {"event_name": "api_tokens", "type": "cancel"}
    done = stripe.billing.meter_event_adjustments.create({**fields, "cancel": {"identifier": "first"}})
    assert (done.status, done.cancel.identifier) == ("complete", "first")
    assert used(stripe, meter.id, customer)[0][1] == 3
    clock.advance(hours=25)
    adjust = stripe.billing.meter_event_adjustments.create
    assert refusal_of(adjust, {**fields, "cancel": {"identifier": "second"}}).code == "meter_event_too_old"
    assert refusal_of(adjust, {**fields, "cancel": {"identifier": "third"}}).code == "resource_missing"
    assert used(stripe, meter.id, customer)[0][1] == 3


def test_a_fault_lets_summaries_trail_what_was_reported(sandbox, stripe, meter, customer, clock):
    report(stripe, customer, 5)
    clock.advance(hours=1)
    report(stripe, customer, 7)
    clock.advance(hours=1)
    sandbox.fault("meter_lag", match=customer.id, seconds=5400)
    assert [value for _, value in used(stripe, meter.id, customer)] == [5]
    assert [value for _, value in used(stripe, meter.id, customer)] == [12]
