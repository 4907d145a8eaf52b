"""The same tests against the sandbox always, and against Stripe's test mode with `-m stripe_live` and a key."""

import os
import time
import uuid

import pytest
import stripe as stripe_library

from tests.stripe_sandbox.conftest import DAY, client_for, make_customer, make_price, subscribe, use_card

WAIT_S = 120


@pytest.fixture(params=["sandbox", pytest.param("stripe", marks=pytest.mark.stripe_live)])
def api(request):
    if request.param == "sandbox":
        return client_for(request.getfixturevalue("sandbox"))
    key = os.environ.get("STRIPE_TEST_KEY", "")
    if not key:
        pytest.skip("needs STRIPE_TEST_KEY, a key of Stripe's test mode")
    return stripe_library.StripeClient(key, max_network_retries=2).v1


@pytest.fixture
def timed(api):
    """A customer with a good card on a test clock that stands now, and the way to move it."""
    clock = api.test_helpers.test_clocks.create({"frozen_time": int(time.monotonic()) + 1_790_000_000})

    def advance(days=0, hours=0):
        moment = api.test_helpers.test_clocks.retrieve(clock.id).frozen_time + days * DAY + hours * 3600
        api.test_helpers.test_clocks.advance(clock.id, {"frozen_time": moment})
        deadline = time.monotonic() + WAIT_S
        while api.test_helpers.test_clocks.retrieve(clock.id).status != "ready":
            assert time.monotonic() < deadline
            time.sleep(2)

    yield make_customer(api, clock=clock), advance
    api.test_helpers.test_clocks.delete(clock.id)


def test_names_what_is_missing(api):
    with pytest.raises(stripe_library.InvalidRequestError) as refusal:
        api.customers.retrieve("cus_nobody")
    assert (refusal.value.http_status, refusal.value.code) == (404, "resource_missing")
    assert refusal.value.user_message == "No such customer: 'cus_nobody'"


def test_names_what_is_unknown(api):
    with pytest.raises(stripe_library.InvalidRequestError) as refusal:
        api.customers.create({"foo": "1"})
    assert (refusal.value.http_status, refusal.value.code) == (400, "parameter_unknown")
    assert refusal.value.user_message.startswith("Received unknown parameter: foo")


def test_repeats_an_answer_and_refuses_other_parameters(api):
    key = {"idempotency_key": f"contract-{uuid.uuid4()}"}
    first, second = (api.customers.create({"name": "Ana"}, key) for _ in range(2))
    assert first.id == second.id
    assert second.last_response.headers["idempotent-replayed"] == "true"
    with pytest.raises(stripe_library.IdempotencyError) as refusal:
        api.customers.create({"name": "Ben"}, key)
    assert "can only be used with the same parameters" in refusal.value.user_message


def test_moves_a_lookup_key(api):
    key = f"contract_{uuid.uuid4().hex}"
    product = api.products.create({"name": "Contract"})
    fields = {"product": product.id, "currency": "usd", "recurring": {"interval": "month"}, "lookup_key": key}
    old = api.prices.create({**fields, "unit_amount": 800})
    new = api.prices.create({**fields, "unit_amount": 900, "transfer_lookup_key": True})
    assert api.prices.retrieve(old.id).lookup_key is None
    assert [price.id for price in api.prices.list({"lookup_keys": [key]}).data] == [new.id]


@pytest.mark.parametrize(
    ("alias", "code", "decline_code"),
    [
        ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", None),
    ],
)
def test_refuses_a_declined_card(api, alias, code, decline_code):
    customer = make_customer(api, card=None)
    with pytest.raises(stripe_library.CardError) as refusal:
        api.payment_methods.attach(alias, {"customer": customer.id})
    assert (refusal.value.http_status, refusal.value.code) == (402, code)
    assert getattr(refusal.value.error, "decline_code", None) == decline_code


def test_renews(api, timed):
    customer, advance = timed
    subscription = subscribe(api, customer, make_price(api, "Contract", 800))
    end = subscription["items"].data[0].current_period_end
    advance(days=(end - subscription["items"].data[0].current_period_start) // DAY, hours=2)
    after = api.subscriptions.retrieve(subscription.id)
    assert (after.status, after["items"].data[0].current_period_start) == ("active", end)
    assert [invoice.status for invoice in api.invoices.list({"customer": customer.id}).data] == ["paid", "paid"]


def test_a_failed_renewal_is_past_due(api, timed):
    customer, advance = timed
    subscription = subscribe(api, customer, make_price(api, "Contract", 800))
    use_card(api, customer.id, "pm_card_chargeCustomerFail")
    item = subscription["items"].data[0]
    advance(days=(item.current_period_end - item.current_period_start) // DAY, hours=2)
    assert api.subscriptions.retrieve(subscription.id).status == "past_due"


def test_floors_each_line_of_an_upgrade(api, timed):
    customer, advance = timed
    subscription = subscribe(api, customer, make_price(api, "Small", 800))
    item = subscription["items"].data[0]
    advance(days=10)
    middle = (item.current_period_start + item.current_period_end) // 2
    details = {
        "items": [{"id": item.id, "price": make_price(api, "Large", 4001).id}],
        "proration_behavior": "always_invoice",
        "proration_date": middle,
    }
    preview = api.invoices.create_preview({"subscription": subscription.id, "subscription_details": details})
    assert [line.amount for line in preview.lines.data] == [-400, 2000]


def test_3d_secure_leaves_it_incomplete(api):
    customer = make_customer(api, card="pm_card_threeDSecure2Required")
    assert subscribe(api, customer, make_price(api, "Contract", 800)).status == "incomplete"
