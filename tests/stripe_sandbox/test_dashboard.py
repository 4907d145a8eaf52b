"""What happens behind the product's back: actions of the Dashboard, by hand or at a chosen moment."""

import pytest
import stripe as stripe_library

from tests.stripe_sandbox.conftest import event_types, make_customer, subscribe


def act(sandbox, action, key=None, **params):
    return sandbox.http.post("/_sandbox/api/dashboard", json={"action": action, "id": key, "params": params})


@pytest.fixture
def subscription(stripe, premium):
    return subscribe(stripe, make_customer(stripe), premium)


def test_a_customer_is_deleted(sandbox, stripe, subscription):
    assert act(sandbox, "delete_customer", subscription.customer).json()["deleted"] is True
    assert stripe.customers.retrieve(subscription.customer).deleted is True
    assert stripe.subscriptions.retrieve(subscription.id).status == "canceled"


def test_a_price_is_archived_and_comes_back(sandbox, stripe, premium):
    assert act(sandbox, "archive_price", premium.id).json()["active"] is False
    assert act(sandbox, "restore_price", premium.id).json()["active"] is True


def test_a_subscription_is_edited(sandbox, stripe, subscription, premium_plus):
    act(sandbox, "edit_subscription", subscription.id, price=premium_plus.id, quantity=2, proration_behavior="none")
    item = stripe.subscriptions.retrieve(subscription.id)["items"].data[0]
    assert (item.price.id, item.quantity, item.id) == (premium_plus.id, 2, subscription["items"].data[0].id)


def test_a_subscription_is_cancelled_at_its_end_or_at_once(sandbox, stripe, subscription):
    assert act(sandbox, "cancel_subscription_at_period_end", subscription.id).json()["cancel_at_period_end"] is True
    assert act(sandbox, "cancel_subscription", subscription.id).json()["status"] == "canceled"


def test_a_charge_is_refunded_in_part(sandbox, stripe, subscription):
    charge = sandbox.objects("charge")[0]["id"]
    assert act(sandbox, "refund_charge", charge, amount=300).json()["amount"] == 300
    assert stripe.charges.retrieve(charge).amount_refunded == 300
    assert stripe.subscriptions.retrieve(subscription.id).status == "active"


@pytest.mark.parametrize(("action", "status"), [("win_dispute", "won"), ("lose_dispute", "lost")])
def test_a_dispute_is_opened_and_decided(sandbox, stripe, subscription, action, status):
    dispute = act(sandbox, "dispute_charge").json()["id"]
    assert act(sandbox, action, dispute).json()["status"] == status
    assert stripe.disputes.retrieve(dispute).status == status


def test_a_secret_is_rolled(sandbox, stripe, receiver):
    endpoint = stripe.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["*"]})
    secret = act(sandbox, "roll_secret", endpoint.id).json()["secret"]
    assert secret.startswith("whsec_")
    assert secret != endpoint.secret


def test_what_is_done_there_names_no_call(sandbox, stripe, subscription):
    act(sandbox, "cancel_subscription", subscription.id)
    assert stripe.events.list({"type": "customer.subscription.deleted"}).data[0].request.to_dict() == {
        "id": None,
        "idempotency_key": None,
    }


@pytest.mark.parametrize(
    ("action", "key", "words"),
    [("nonsense", None, "no action"), ("delete_customer", "cus_x", "No such"), ("win_dispute", None, "no dispute yet")],
)
def test_refuses_what_cannot_be_done(sandbox, subscription, action, key, words):
    before = sandbox.objects("event")
    answer = act(sandbox, action, key)
    assert answer.status_code in (400, 404)
    assert words in answer.json()["error"]
    assert sandbox.objects("event") == before


def test_a_fault_acts_before_the_next_matching_call(sandbox, stripe, subscription):
    sandbox.fault("dashboard", match="GET /v1/subscriptions", action="cancel_subscription", id=subscription.id)
    stripe.customers.retrieve(subscription.customer)
    assert sandbox.objects("subscription")[0]["status"] == "active"
    assert stripe.subscriptions.retrieve(subscription.id).status == "canceled"


def test_a_fault_acts_after_the_next_matching_call(sandbox, stripe, subscription):
    sandbox.fault("dashboard", match="GET /v1/subscriptions", action="cancel_subscription", when="after")
    assert stripe.subscriptions.retrieve(subscription.id).status == "active"
    assert stripe.subscriptions.retrieve(subscription.id).status == "canceled"
    assert event_types(stripe).count("customer.subscription.deleted") == 1


def test_a_fault_may_strike_between_two_calls_about_one_customer(sandbox, stripe, subscription):
    sandbox.fault("dashboard", match=subscription.customer, action="delete_customer", id=subscription.customer)
    with pytest.raises(stripe_library.InvalidRequestError):
        stripe.subscriptions.create({"customer": subscription.customer, "items": [{"price": "price_x"}]})
    assert stripe.customers.retrieve(subscription.customer).deleted is True


@pytest.mark.parametrize("params", [{}, {"action": "nonsense"}, {"action": "delete_customer", "when": "someday"}])
def test_refuses_to_arm_an_action_that_makes_no_sense(sandbox, params):
    body = {"kind": "dashboard", "params": params}
    assert sandbox.http.post("/_sandbox/api/faults", json=body).status_code == 400
    assert sandbox.http.get("/_sandbox/api/faults").json()["faults"] == []
