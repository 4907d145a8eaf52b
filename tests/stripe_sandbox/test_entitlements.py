"""Features of products, and which of them a customer has."""

import pytest
import stripe as stripe_library

from tests.stripe_sandbox.conftest import make_customer, subscribe


@pytest.fixture
def voice(stripe, premium):
    feature = stripe.entitlements.features.create({"name": "Voice", "lookup_key": "voice"})
    stripe.products.features.create(premium.product, {"entitlement_feature": feature.id})
    return feature


def keys_of(stripe, customer):
    found = stripe.entitlements.active_entitlements.list({"customer": customer.id}).data
    return [each.lookup_key for each in found]


def test_a_subscription_gives_the_features_of_its_product(stripe, premium, voice):
    ana, ben = make_customer(stripe), make_customer(stripe)
    subscription = subscribe(stripe, ana, premium)
    assert (keys_of(stripe, ana), keys_of(stripe, ben)) == (["voice"], [])
    stripe.subscriptions.cancel(subscription.id)
    assert keys_of(stripe, ana) == []


def test_the_feature_can_be_expanded(stripe, premium, voice):
    ana = make_customer(stripe)
    subscribe(stripe, ana, premium)
    fields = {"customer": ana.id, "expand": ["data.feature"]}
    assert stripe.entitlements.active_entitlements.list(fields).data[0].feature.name == "Voice"


def test_a_product_lists_its_features(stripe, premium, premium_plus, voice):
    listed = stripe.products.features.list(premium.product).data
    assert [each.entitlement_feature.lookup_key for each in listed] == ["voice"]
    assert stripe.products.features.list(premium_plus.product).data == []
    assert [each.id for each in stripe.entitlements.features.list().data] == [voice.id]


def test_a_key_and_an_attachment_are_made_once(sandbox, stripe, premium, voice):
    with pytest.raises(stripe_library.InvalidRequestError):
        stripe.entitlements.features.create({"name": "Other", "lookup_key": "voice"})
    with pytest.raises(stripe_library.InvalidRequestError):
        stripe.products.features.create(premium.product, {"entitlement_feature": voice.id})
    assert len(sandbox.objects("entitlements.feature")) == len(sandbox.objects("product_feature")) == 1


def test_a_key_has_at_most_eighty_characters(sandbox, stripe):
    with pytest.raises(stripe_library.InvalidRequestError) as refusal:
        stripe.entitlements.features.create({"name": "Long", "lookup_key": "k" * 81})
    assert refusal.value.param == "lookup_key"
    assert sandbox.objects("entitlements.feature") == []
