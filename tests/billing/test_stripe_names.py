"""What the gateway sends has names that the official client knows; the local Stripe holds them to the description."""

import pytest
import stripe

from apps.billing import stripe_gateway
from tests.support.stripe_names import unknown_names

CLIENT = stripe.StripeClient("sk_test_names").v1


@pytest.mark.parametrize(
    ("call", "params"),
    [
        (CLIENT.customers.create, {"email": "a@b.c", "metadata": {"any": "thing"}}),
        (CLIENT.checkout.sessions.create, {"line_items": [{"price": "p", "quantity": 1}]}),
        (CLIENT.events.list, {"created": {"gte": 1}, "limit": 100}),
        (CLIENT.subscriptions.update, {"items": [{"id": "si", "price": "p"}], "proration_behavior": "none"}),
    ],
)
def test_has_nothing_against_the_clients_own_names(call, params):
    assert unknown_names(call, params) == []


@pytest.mark.parametrize(
    ("call", "params", "wrong"),
    [
        (CLIENT.customers.create, {"emial": "a@b.c"}, ["emial"]),
        (CLIENT.checkout.sessions.create, {"line_items": [{"prize": "p"}]}, ["line_items[prize]"]),
        (CLIENT.events.list, {"created": {"since": 1}}, ["created[since]"]),
        (
            CLIENT.subscriptions.create,
            {"trial_settings": {"end_behavior": {"missing_card": "pause"}}},
            ["trial_settings[end_behavior][missing_card]"],
        ),
    ],
)
def test_finds_a_name_that_drifted(call, params, wrong):
    assert unknown_names(call, params) == wrong


@pytest.mark.django_db
def test_a_wrong_name_of_the_gateway_is_kept_even_where_its_refusal_is_swallowed(sandbox, drifted):
    gateway = stripe_gateway.patient()
    with pytest.raises(Exception, match="unknown parameter"):
        gateway.update_product("prod_x", {"nmae": "Premium"}, key="k")
    assert drifted == ["update: nmae"]
    forgiven = sandbox.forgive_calls()
    assert [each["problem"].split(" (")[0] for each in forgiven] == ["Received unknown parameter: nmae"]
    drifted.clear()
