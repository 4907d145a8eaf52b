"""What stays as it is: the currency of a customer, and a subscription that has ended."""

import pytest
import stripe as stripe_library

from tests.stripe_sandbox.conftest import make_customer, make_price, subscribe


def test_a_customer_keeps_the_currency_of_first_use(sandbox, stripe, premium):
    customer = make_customer(stripe)
    subscribe(stripe, customer, premium)
    euros = make_price(stripe, "Premium", 800, currency="eur")
    with pytest.raises(stripe_library.InvalidRequestError) as refusal:
        subscribe(stripe, customer, euros)
    assert refusal.value.param == "items[0][price]"
    assert len(sandbox.objects("subscription")) == 1
    assert stripe.customers.retrieve(customer.id).currency == "usd"


def test_an_ended_subscription_takes_metadata_and_why_it_ended_and_nothing_else(stripe, premium, premium_plus):
    subscription = subscribe(stripe, make_customer(stripe), premium)
    stripe.subscriptions.cancel(subscription.id)
    item = subscription["items"].data[0].id
    for change in ({"cancel_at_period_end": True}, {"items": [{"id": item, "price": premium_plus.id}]}):
        with pytest.raises(stripe_library.InvalidRequestError):
            stripe.subscriptions.update(subscription.id, change)
    kept = {"metadata": {"a": "1"}, "cancellation_details": {"comment": "too dear"}}
    after = stripe.subscriptions.update(subscription.id, kept)
    assert (after.metadata.to_dict(), after.cancellation_details.comment) == ({"a": "1"}, "too dear")
    assert (after.status, after["items"].data[0].price.id) == ("canceled", premium.id)


def test_nobody_subscribes_without_a_card(sandbox, stripe, premium):
    with pytest.raises(stripe_library.InvalidRequestError) as refusal:
        subscribe(stripe, make_customer(stripe, card=None), premium)
    assert refusal.value.user_message.startswith(
        "This customer has no attached payment source or default payment method."
    )
    assert sandbox.objects("subscription") == []
