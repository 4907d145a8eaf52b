"""A subscription of usage whose first period ends at a moment that was asked for, and all later ones by it."""

import pytest
import stripe as stripe_library

from tests.stripe_sandbox.conftest import JANUARY, make_customer
from tests.stripe_sandbox.test_metered import make_metered
from tests.stripe_sandbox.test_meters import make_meter

DAY = 86400


@pytest.fixture
def customer(stripe, clock):
    return make_customer(stripe, clock=clock)


def begin(stripe, customer, price, anchor):
    fields = {"customer": customer.id, "items": [{"price": price.id}], "proration_behavior": "none"}
    return stripe.subscriptions.create({**fields, "billing_cycle_anchor": anchor})


def test_the_first_period_ends_at_the_anchor(stripe, customer):
    now = JANUARY
    price = make_metered(stripe, make_meter(stripe), "0.05")
    found = begin(stripe, customer, price, now + 10 * DAY)
    [item] = found["items"].data
    assert (item.current_period_start, item.current_period_end) == (now, now + 10 * DAY)
    assert found.billing_cycle_anchor == now + 10 * DAY
    assert found.status == "active"


@pytest.mark.parametrize(("days", "said"), [(0, "must be in the future"), (40, "cannot be later than next natural")])
def test_an_anchor_is_within_the_first_period(stripe, customer, days, said):
    now = JANUARY
    price = make_metered(stripe, make_meter(stripe), "0.05")
    with pytest.raises(stripe_library.InvalidRequestError, match=said) as refused:
        begin(stripe, customer, price, now + days * DAY)
    assert refused.value.param == "billing_cycle_anchor"
    assert stripe.subscriptions.list({"customer": customer.id}).data == []


def test_what_is_paid_beforehand_has_no_anchor_here(stripe, customer):
    now = JANUARY
    fields = {"currency": "usd", "unit_amount": 800, "product_data": {"name": "Plan"}}
    price = stripe.prices.create({**fields, "recurring": {"interval": "month"}})
    with pytest.raises(stripe_library.InvalidRequestError, match="for metered prices only"):
        begin(stripe, customer, price, now + DAY)
    assert stripe.subscriptions.list({"customer": customer.id}).data == []
