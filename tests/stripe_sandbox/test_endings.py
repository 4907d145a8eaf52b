import pytest
import stripe as stripe_library

from tests.stripe_sandbox.conftest import event_types, make_customer, subscribe


def test_cancelling_at_once_ends_now(stripe, premium, clock):
    subscription = subscribe(stripe, make_customer(stripe, clock=clock), premium)
    clock.advance(days=10)
    ended = stripe.subscriptions.cancel(subscription.id)
    assert (ended.status, ended.canceled_at, ended.ended_at) == ("canceled", clock.now, clock.now)
    assert event_types(stripe)[-1] == "customer.subscription.deleted"
    clock.advance(days=60)
    assert len(stripe.invoices.list({"subscription": subscription.id}).data) == 1


def test_cancelling_can_give_the_unused_time_back_as_credit(stripe, premium, clock):
    clock.advance(days=90)  # a month of 30 days begins
    customer = make_customer(stripe, clock=clock)
    subscription = subscribe(stripe, customer, premium)
    clock.advance(days=15)
    stripe.subscriptions.cancel(subscription.id, {"invoice_now": True, "prorate": True})
    assert stripe.customers.retrieve(customer.id).balance == -400


def test_a_cancelled_subscription_hardly_changes_any_more(stripe, premium):
    subscription = subscribe(stripe, make_customer(stripe), premium)
    stripe.subscriptions.cancel(subscription.id)
    with pytest.raises(stripe_library.InvalidRequestError):
        stripe.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
    changed = stripe.subscriptions.update(subscription.id, {"metadata": {"a": "1"}})
    assert (changed.metadata.to_dict(), changed.cancel_at_period_end) == ({"a": "1"}, False)


def test_a_cancelled_subscription_is_listed_only_when_asked_for(stripe, premium):
    customer = make_customer(stripe)
    subscription = subscribe(stripe, customer, premium)
    stripe.subscriptions.cancel(subscription.id)
    assert stripe.subscriptions.list({"customer": customer.id}).data == []
    for status in ("all", "canceled", "ended"):
        listed = stripe.subscriptions.list({"customer": customer.id, "status": status}).data
        assert [each.id for each in listed] == [subscription.id]
    assert stripe.subscriptions.list({"price": premium.id, "status": "all"}).data[0].id == subscription.id


def test_deleting_a_customer_ends_their_subscriptions(stripe, premium):
    customer = make_customer(stripe)
    subscription = subscribe(stripe, customer, premium)
    assert stripe.customers.delete(customer.id).deleted is True
    assert stripe.customers.retrieve(customer.id).deleted is True
    assert stripe.subscriptions.retrieve(subscription.id).status == "canceled"
    assert stripe.customers.list().data == []
    with pytest.raises(stripe_library.InvalidRequestError):
        stripe.customers.update(customer.id, {"name": "Ana"})


def test_a_refund_gives_money_back_and_ends_nothing(stripe, premium):
    subscription = subscribe(stripe, make_customer(stripe), premium)
    payment = stripe.invoice_payments.list({"invoice": subscription.latest_invoice}).data[0].payment
    refund = stripe.refunds.create({"payment_intent": payment.payment_intent, "amount": 300})
    charge = stripe.charges.retrieve(refund.charge, {"expand": ["refunds"]})
    assert (charge.amount_refunded, charge.refunded, charge.refunds.data[0].id) == (300, False, refund.id)
    assert stripe.subscriptions.retrieve(subscription.id).status == "active"
    assert {"refund.created", "charge.refunded"} <= set(event_types(stripe))
    with pytest.raises(stripe_library.InvalidRequestError) as refusal:
        stripe.refunds.create({"payment_intent": payment.payment_intent, "amount": 501})
    assert refusal.value.param == "amount"
    assert len(stripe.refunds.list({"charge": refund.charge}).data) == 1
