"""Clocks that wait for a customer and keep to themselves what happens on them: how the simulation plays its months."""

import pytest

from tests.stripe_sandbox.conftest import DAY, JANUARY, event_types, make_customer, subscribe

ADDRESS = "sim-7-000001@simulated.invalid"


def open_clock(sandbox, **fields):
    return sandbox.http.post("/_sandbox/api/clocks", json={"frozen_time": JANUARY, "email": ADDRESS, **fields})


@pytest.fixture
def endpoint(stripe, receiver):
    return stripe.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["*"]})


def test_who_is_made_with_the_address_lives_on_the_clock_from_the_start(sandbox, stripe):
    made = open_clock(sandbox)
    assert made.status_code == 201
    assert {name for name in made.json() if name.startswith("_")} == set()
    customer = stripe.customers.create({"email": ADDRESS})
    assert (customer.test_clock, customer.created) == (made.json()["id"], JANUARY)
    assert stripe.customers.create({"email": "ana@example.com"}).test_clock is None


def test_the_same_address_again_gives_the_same_clock(sandbox):
    made, again = open_clock(sandbox), open_clock(sandbox, frozen_time=JANUARY + DAY)
    assert (again.status_code, again.json()) == (200, made.json())


def test_a_deleted_clock_waits_for_nobody(sandbox, stripe):
    made = open_clock(sandbox).json()
    stripe.test_helpers.test_clocks.delete(made["id"])
    assert stripe.customers.create({"email": ADDRESS}).test_clock is None
    assert open_clock(sandbox).status_code == 201


def test_a_quiet_clock_keeps_its_events_to_itself(sandbox, stripe, premium, receiver, endpoint):
    sandbox.deliver_all()
    told = event_types(stripe)
    clock = open_clock(sandbox, quiet=True).json()
    customer = make_customer(stripe, email=ADDRESS)
    subscription = subscribe(stripe, customer, premium)
    stripe.test_helpers.test_clocks.advance(clock["id"], {"frozen_time": JANUARY + 32 * DAY})
    assert stripe.subscriptions.retrieve(subscription.id).status == "active"
    assert (sandbox.deliver(), event_types(stripe)) == ([], told)
    kept = {event["type"] for event in sandbox.objects("event")}
    assert {"customer.created", "charge.succeeded", "invoice.paid", "test_helpers.test_clock.ready"} <= kept


def test_once_quiet_ends_what_happens_is_told_and_what_happened_is_not(sandbox, stripe, receiver, endpoint):
    open_clock(sandbox, quiet=True)
    customer = make_customer(stripe, email=ADDRESS)
    sandbox.deliver_all()
    told = event_types(stripe)
    assert sandbox.http.post("/_sandbox/api/clocks/end-quiet", json={}).json() == {"clocks": 1}
    stripe.customers.update(customer.id, {"name": "Ana"})
    assert [letter["type"] for letter in sandbox.deliver()] == ["customer.updated"]
    assert event_types(stripe) == [*told, "customer.updated"]


def test_others_are_told_of_as_ever_beside_a_quiet_clock(sandbox, stripe, receiver, endpoint):
    sandbox.deliver_all()
    open_clock(sandbox, quiet=True)
    make_customer(stripe)
    assert "customer.created" in event_types(stripe)
    assert "customer.created" in {letter["type"] for letter in sandbox.deliver()}


@pytest.mark.parametrize(
    "wrong", [{"frozen_time": "soon"}, {"frozen_time": True}, {"email": ""}, {"email": None}, {"quiet": 1}]
)
def test_a_body_that_makes_no_sense_is_refused(sandbox, wrong):
    answer = open_clock(sandbox, **wrong)
    assert answer.status_code == 400
    assert "whole number of seconds" in answer.json()["error"]
    assert sandbox.objects("test_helpers.test_clock") == []
