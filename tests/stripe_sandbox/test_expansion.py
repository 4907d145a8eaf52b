import pytest
import stripe as stripe_library

from tests.stripe_sandbox.conftest import make_customer, subscribe


def test_ids_become_objects_down_to_the_charge(stripe, premium):
    paths = ["latest_invoice.payments.data.payment.payment_intent", "customer", "items.data.price.product"]
    subscription = subscribe(stripe, make_customer(stripe), premium, expand=paths)
    payment = subscription.latest_invoice.payments.data[0]
    assert payment.payment.payment_intent.status == "succeeded"
    assert subscription.customer.email == "ana@example.com"
    assert subscription["items"].data[0].price.product.name == "Premium"


def test_lists_expand_below_data(stripe, premium):
    subscribe(stripe, make_customer(stripe), premium)
    listed = stripe.subscriptions.list({"expand": ["data.latest_invoice", "data.default_payment_method"]})
    assert listed.data[0].latest_invoice.status == "paid"
    assert listed.data[0].default_payment_method is None


def test_what_is_hidden_stays_so_unless_asked_for(stripe, premium):
    subscription = subscribe(stripe, make_customer(stripe), premium)
    assert "payments" not in stripe.invoices.retrieve(subscription.latest_invoice)


@pytest.mark.parametrize("path", ["status", "nothing", "customer.nothing", "latest_invoice.total"])
def test_refuses_what_is_no_reference(stripe, premium, path):
    subscription = subscribe(stripe, make_customer(stripe), premium)
    with pytest.raises(stripe_library.InvalidRequestError) as refusal:
        stripe.subscriptions.retrieve(subscription.id, {"expand": [path]})
    assert refusal.value.user_message == f"This property cannot be expanded ({path})."


def test_refuses_more_than_four_levels(stripe, premium):
    subscription = subscribe(stripe, make_customer(stripe), premium)
    path = "latest_invoice.customer.subscriptions.data.latest_invoice.customer"
    with pytest.raises(stripe_library.InvalidRequestError) as refusal:
        stripe.subscriptions.retrieve(subscription.id, {"expand": [path]})
    assert refusal.value.http_status == 400
