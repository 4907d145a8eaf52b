"""Subscriptions from beginning to end: the same stories in the sandbox always, and at Stripe with `-m stripe_live`."""

import pytest
import stripe as stripe_library

from tests.stripe_sandbox.conftest import DAY, make_customer, make_price, subscribe
from tests.stripe_sandbox.test_contract import api, timed

__all__ = ["api", "timed"]  # fixtures, shared with the contract


def month_of(subscription):
    """How many days the current period has."""
    item = subscription["items"].data[0]
    return (item.current_period_end - item.current_period_start) // DAY


def change(api, subscription, price):
    items = [{"id": subscription["items"].data[0].id, "price": price.id}]
    fields = {"items": items, "proration_behavior": "always_invoice", "expand": ["latest_invoice"]}
    return api.subscriptions.update(subscription.id, fields).latest_invoice


def test_a_renewal_is_a_draft_for_an_hour_and_then_paid(api, timed):  # scenario 1
    customer, advance = timed
    subscription = subscribe(api, customer, make_price(api, "Story", 800))
    advance(days=month_of(subscription))
    draft = api.invoices.list({"customer": customer.id}).data[0]
    end = subscription["items"].data[0].current_period_end
    assert (draft.status, draft.billing_reason) == ("draft", "subscription_cycle")
    assert draft.automatically_finalizes_at == end + 3600
    advance(hours=2)
    renewal = api.invoices.retrieve(draft.id)
    assert (renewal.status, renewal.amount_paid) == ("paid", 800)
    assert api.subscriptions.retrieve(subscription.id).status == "active"


def test_an_upgrade_is_paid_and_a_downgrade_becomes_credit(api, timed):  # scenario 3
    customer, advance = timed
    small, large = make_price(api, "Small", 800), make_price(api, "Large", 4000)
    subscription = subscribe(api, customer, small)
    advance(days=10)
    upgrade = change(api, subscription, large)
    assert (upgrade.status, upgrade.billing_reason, upgrade.total > 0) == ("paid", "subscription_update", True)
    advance(days=5)
    downgrade = change(api, subscription, small)
    assert (downgrade.total < 0, downgrade.amount_due) == (True, 0)
    assert api.customers.retrieve(customer.id).balance == downgrade.total


def test_a_cancelled_plan_stays_until_its_end(api, timed):  # scenario 4
    customer, advance = timed
    subscription = subscribe(api, customer, make_price(api, "Story", 800))
    asked = api.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
    assert (asked.status, asked.cancel_at_period_end, asked.canceled_at is None) == ("active", True, False)
    advance(days=month_of(subscription), hours=1)
    ended = api.subscriptions.retrieve(subscription.id)
    assert (ended.status, ended.ended_at) == ("canceled", subscription["items"].data[0].current_period_end)
    assert len(api.invoices.list({"customer": customer.id}).data) == 1


def test_trouble_at_the_start_never_becomes_a_plan(api, timed):  # scenario 5
    customer, advance = timed
    price = make_price(api, "Story", 800)
    with pytest.raises(stripe_library.CardError):
        api.payment_methods.attach("pm_card_chargeDeclined", {"customer": customer.id})
    other = make_customer(api, card="pm_card_threeDSecure2Required", test_clock=customer.test_clock)
    subscription = subscribe(api, other, price)
    assert subscription.status == "incomplete"
    advance(days=1)
    gone = api.subscriptions.retrieve(subscription.id, {"expand": ["latest_invoice"]})
    assert (gone.status, gone.latest_invoice.status) == ("incomplete_expired", "void")
