"""Lookup keys move only when asked to; amounts never change."""

import pytest
import stripe as stripe_library

from tests.stripe_sandbox.conftest import make_customer, subscribe


def make(stripe, product, amount, **fields):
    return stripe.prices.create(
        {
            "product": product.id,
            "unit_amount": amount,
            "currency": "usd",
            "recurring": {"interval": "month"},
            "lookup_key": "premium_month_usd",
            **fields,
        }
    )


def test_moves_a_lookup_key_to_a_new_price(stripe):
    product = stripe.products.create({"name": "Premium"})
    old, new = make(stripe, product, 800), make(stripe, product, 900, transfer_lookup_key=True)
    assert new.lookup_key == "premium_month_usd"
    assert stripe.prices.retrieve(old.id).lookup_key is None


def test_refuses_a_lookup_key_that_is_taken(stripe):
    product = stripe.products.create({"name": "Premium"})
    old = make(stripe, product, 800)
    with pytest.raises(stripe_library.InvalidRequestError) as refusal:
        make(stripe, product, 900)
    assert refusal.value.param == "lookup_key"
    assert [price.id for price in stripe.prices.list().data] == [old.id]


def test_refuses_another_amount_for_a_price(stripe, premium):
    with pytest.raises(stripe_library.InvalidRequestError) as refusal:
        stripe.prices.update(premium.id, {"unit_amount": 900})
    assert refusal.value.code == "parameter_unknown"
    assert stripe.prices.retrieve(premium.id).unit_amount == 800


def test_a_subscription_shows_its_price_as_it_is_now(stripe, premium):
    subscription = subscribe(stripe, make_customer(stripe), premium)
    stripe.prices.update(premium.id, {"active": False, "metadata": {"note": "old"}})
    shown = stripe.subscriptions.retrieve(subscription.id)["items"].data[0].price
    assert (shown.active, shown.metadata.to_dict()) == (False, {"note": "old"})


def test_an_archived_price_cannot_be_subscribed_to(stripe, premium):
    stripe.prices.update(premium.id, {"active": False})
    with pytest.raises(stripe_library.InvalidRequestError) as refusal:
        subscribe(stripe, make_customer(stripe), premium)
    assert refusal.value.param == "items[0][price]"
    assert stripe.subscriptions.list({"status": "all"}).data == []


def test_an_id_of_ones_own_names_a_product_once(stripe):
    stripe.products.create({"id": "premium", "name": "Premium"})
    with pytest.raises(stripe_library.InvalidRequestError) as refusal:
        stripe.products.create({"id": "premium", "name": "Premium"})
    assert refusal.value.code == "resource_already_exists"
