"""The subscription of usage charges: begun, billed by the month, and ended, all through the local Stripe."""

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from apps.billing import outbox, overage, stripe_gateway
from apps.billing.errors import NoSavedCard, OnHold, UsageChargesRefused
from apps.billing.models import InvoiceMirror, Overage, StripeOutbox, SubscriptionMirror
from apps.core import ids
from apps.core.errors import PaymentNeeded
from apps.usage.models import UsageLedger
from tests.support import credit, metering, shop

CAP = 50_000_000


@pytest.fixture
def payer(published, account):
    """Has left a card, and has no credit to speak of."""
    credit.buy(account, 500, saves_card=True)
    credit.spend(account, ids.uuid7(), 5_000_000)
    metering.turn_on(account, CAP)
    return account


def end_rows():
    return StripeOutbox.objects.filter(kind="end_overage").order_by("next_at")


def end_now():
    """The wait for running answers is over."""
    end_rows().update(next_at=shop.now())
    credit.send_outbox()


def test_turning_it_on_begins_a_subscription_whose_months_are_the_calendars(published, payer):
    own = Overage.objects.get()
    assert (own.is_on, own.cap_micro, own.currency, own.number) == (True, CAP, "usd", 1)
    found = metering.subscription(published, payer)
    assert (found["status"], found["metadata"]["sells"]) == ("active", "api_usage")
    [item] = found["items"]["data"]
    assert item["price"]["lookup_key"] == "api_usage_usd"
    assert "quantity" not in item
    assert datetime.fromtimestamp(item["current_period_end"], UTC) == overage.next_month(shop.now())
    assert overage.find_allowed(payer) == overage.Allowed(CAP, "usd")
    mirror = SubscriptionMirror.objects.get(pk=own.stripe_subscription_id)
    assert (mirror.plan, mirror.mrr_micro) == (None, 0)


def test_no_change_of_the_plan_touches_it(published, payer):
    shop.buy(payer, "premium")
    plan = SubscriptionMirror.objects.get(plan="premium")
    assert published.call("DELETE", f"/v1/subscriptions/{plan.pk}").status_code == 200
    shop.look(payer)
    assert metering.subscription(published, payer)["status"] == "active"
    assert overage.find_allowed(payer) is not None
    assert not payer.drift_items.exists()


def test_another_cap_is_no_other_subscription(published, payer):
    metering.turn_on(payer, 10_000_000)
    assert overage.find_allowed(payer) == overage.Allowed(10_000_000, "usd")
    assert StripeOutbox.objects.filter(kind="start_overage").count() == 1


def test_it_needs_a_card_an_amount_and_no_dispute(published, account):
    with pytest.raises(UsageChargesRefused, match=r"above 0, up to 1000 USD\."):
        overage.turn_on(account, 0, "usd", now=shop.now())
    with pytest.raises(UsageChargesRefused):
        overage.turn_on(account, 1_000_000_001, "usd", now=shop.now())
    with pytest.raises(UsageChargesRefused, match="not offered"):
        overage.turn_on(account, CAP, "chf", now=shop.now())
    with pytest.raises(NoSavedCard):
        overage.turn_on(account, CAP, "usd", now=shop.now())
    account.hold_reason = "dispute"
    with pytest.raises(OnHold):
        overage.turn_on(account, CAP, "usd", now=shop.now())
    assert not Overage.objects.exists()
    assert not StripeOutbox.objects.exists()


@pytest.fixture
def impatient(published, monkeypatch):
    """Stripe begins a subscription and its answer is lost; the client does not repeat it by itself."""
    monkeypatch.setattr(stripe_gateway, "BACKGROUND", replace(stripe_gateway.BACKGROUND, repeats=0))
    published.fault("timeout_after", count=1, match="POST /v1/subscriptions", seconds=0.05)


def test_an_answer_that_was_lost_makes_no_second_subscription(published, impatient, account):
    credit.buy(account, 500, saves_card=True)
    metering.turn_on(account)
    StripeOutbox.objects.filter(kind="start_overage").update(next_at=shop.now())
    credit.send_outbox()
    shop.look(account)
    mine = [one for one in published.objects("subscription") if one["customer"] == account.stripe_customer_id]
    assert len(mine) == 1
    assert Overage.objects.get().stripe_subscription_id == mine[0]["id"]


def forget(kind):
    """A day and an hour pass after a try of which nobody heard: Stripe knows its key no more."""
    row = StripeOutbox.objects.get(kind=kind)
    past = shop.now() - timedelta(hours=25)
    StripeOutbox.objects.filter(pk=row.pk).update(key=f"{row.key}:forgotten", first_tried_at=past, next_at=shop.now())


def mine(sandbox, account):
    found = [one for one in sandbox.objects("subscription") if one["customer"] == account.stripe_customer_id]
    return [(one["id"], one["status"]) for one in found]


def test_an_answer_that_was_lost_makes_no_second_subscription_after_a_day_either(published, impatient, account):
    credit.buy(account, 500, saves_card=True)
    overage.turn_on(account, CAP, "usd", now=shop.now())
    credit.send_outbox()
    assert (len(mine(published, account)), Overage.objects.get().stripe_subscription_id) == (1, "")
    forget("start_overage")
    credit.send_outbox()
    assert StripeOutbox.objects.get(kind="start_overage").state == "done"
    assert mine(published, account) == [(Overage.objects.get().stripe_subscription_id, "active")]


def test_one_whose_answer_was_lost_ends_when_it_is_turned_off_before_anybody_heard_of_it(published, impatient, account):
    credit.buy(account, 500, saves_card=True)
    overage.turn_on(account, CAP, "usd", now=shop.now())
    credit.send_outbox()
    overage.turn_off(account, now=shop.now())
    StripeOutbox.objects.update(next_at=shop.now())
    credit.send_outbox()
    assert [status for _key, status in mine(published, account)] == ["canceled"]


def test_turned_off_and_on_again_before_anybody_heard_of_it_is_one_subscription(published, impatient, account):
    credit.buy(account, 500, saves_card=True)
    overage.turn_on(account, CAP, "usd", now=shop.now())
    credit.send_outbox()
    overage.turn_off(account, now=shop.now())
    overage.turn_on(account, CAP, "usd", now=shop.now())
    StripeOutbox.objects.update(next_at=shop.now())
    credit.send_outbox()
    assert mine(published, account) == [(Overage.objects.get().stripe_subscription_id, "active")]


def test_a_month_is_billed_as_the_ledger_says(published, payer):
    for price_micro in (1_234_567, 2_000_001, 4):
        row = credit.spend(payer, ids.uuid7(), price_micro)
        assert (row.credit_micro, row.charged_micro) == (0, price_micro)
    assert metering.report() == 3
    assert metering.counted(published, payer) == 3_234_572
    shop.pass_time(published, payer, to=overage.next_month(shop.now()) + timedelta(hours=2))
    shop.look(payer)
    key = Overage.objects.get().stripe_subscription_id
    invoice = InvoiceMirror.objects.get(stripe_subscription_id=key, billing_reason="subscription_cycle")
    charged = sum(UsageLedger.objects.values_list("charged_micro", flat=True))
    assert charged == 3_234_572
    assert (invoice.status, invoice.total_minor, invoice.amount_paid_minor) == ("paid", 323, 323)


def test_turning_it_off_refuses_at_once_and_bills_the_rest_after_what_runs(published, payer):
    credit.spend(payer, ids.uuid7(), 2_000_000)
    time.sleep(1.1)  # what is used in the very second of the end counts no more
    overage.turn_off(payer, now=shop.now())
    with pytest.raises(PaymentNeeded):
        credit.spend(payer, ids.uuid7(), 1)
    credit.send_outbox()
    assert metering.subscription(published, payer)["status"] == "active"
    end_now()
    assert metering.subscription(published, payer)["status"] == "active"  # not all is reported yet
    metering.report()
    end_now()
    shop.look(payer)
    assert metering.subscription(published, payer)["status"] == "canceled"
    key = Overage.objects.get().stripe_subscription_id
    last = InvoiceMirror.objects.filter(stripe_subscription_id=key).order_by("created").last()
    assert (last.total_minor, last.status) == (200, "paid")


def test_turning_it_on_again_before_the_end_goes_on_with_the_same(published, payer):
    before = Overage.objects.get().stripe_subscription_id
    overage.turn_off(payer, now=shop.now())
    metering.turn_on(payer)
    assert not end_rows().exists()
    assert Overage.objects.get().stripe_subscription_id == before
    assert overage.find_allowed(payer) is not None


def test_turning_it_on_again_after_the_end_begins_another(published, payer):
    before = Overage.objects.get().stripe_subscription_id
    overage.turn_off(payer, now=shop.now())
    end_now()
    shop.look(payer)
    metering.turn_on(payer)
    own = Overage.objects.get()
    assert (own.number, own.stripe_subscription_id != before) == (2, True)
    assert overage.find_allowed(payer) is not None


def test_one_that_ended_at_stripe_is_off_here_and_may_be_turned_on_again(published, payer):
    key = Overage.objects.get().stripe_subscription_id
    assert published.call("DELETE", f"/v1/subscriptions/{key}").status_code == 200
    shop.look(payer)
    assert not Overage.objects.get().is_on
    assert overage.find_allowed(payer) is None
    metering.turn_on(payer)
    assert overage.find_allowed(payer) is not None


def test_who_leaves_is_billed_for_what_was_used(published, payer):
    credit.spend(payer, ids.uuid7(), 3_000_000)
    time.sleep(1.1)  # what is used in the very second of the end counts no more
    mirror = SubscriptionMirror.objects.get(pk=Overage.objects.get().stripe_subscription_id)
    with outbox.transaction.atomic():
        outbox.cancel_subscription(mirror, now=shop.now())
    credit.send_outbox()
    row = StripeOutbox.objects.get(kind="cancel_subscription")
    assert (row.state, row.error) == ("pending", "PaymentsAway")
    metering.report()
    StripeOutbox.objects.update(next_at=shop.now())
    credit.send_outbox()
    shop.look(payer)
    last = InvoiceMirror.objects.filter(stripe_subscription_id=mirror.pk).order_by("created").last()
    assert last.total_minor == 300
