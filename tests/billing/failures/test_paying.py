"""F9, F11, F12, F14, F29: what goes wrong with the money of a subscription that is there."""

from datetime import timedelta

import pytest

from apps.billing import dunning
from apps.billing.models import EntitlementSnapshot, InvoiceMirror, RefundMirror, SubscriptionMirror, SubscriptionState
from tests.support import shop
from tests.support.storm import plan_of

FAILS = "pm_card_chargeCustomerFail"
GRACE = timedelta(days=7)


@pytest.fixture
def late(storm):
    """An account whose renewal fails, and the moment at which that is known."""
    account = storm.bought("ana@example.org")
    shop.use_card(storm.stripe, account, FAILS)
    storm.settle()
    return account, storm.past_the_period(account)


def test_f09_a_card_that_fails_at_renewal_leaves_the_plan_for_the_days_of_grace(storm, late):
    account, at = late
    assert SubscriptionMirror.objects.get().status == "past_due"
    invoice = InvoiceMirror.objects.get(status="open")
    assert account.delinquent_since == invoice.first_failed_at
    assert plan_of(account, at=at) == "premium"
    assert plan_of(account, at=account.delinquent_since + GRACE - timedelta(seconds=1)) == "premium"
    letters = [row.payload["letter"] for row in account.outbox.filter(kind="mail")]
    assert letters.count("payment_failed") == 1
    assert SubscriptionState.objects.latest("effective_at").mrr_micro == 8_000_000


def test_f09_paying_in_the_days_of_grace_brings_everything_back(storm, late):
    account, at = late
    shop.use_card(storm.stripe, account, "pm_card_visa")
    invoice = InvoiceMirror.objects.get(status="open")
    assert storm.stripe.call("POST", f"/v1/invoices/{invoice.pk}/pay").status_code == 200
    storm.settle()
    account.refresh_from_db()
    assert account.delinquent_since is None
    assert plan_of(account, at=at + GRACE * 2) == "premium"
    assert [state.cause for state in SubscriptionState.objects.order_by("pk")] == [
        "checkout", "payment_failed", "recovered",
    ]  # fmt: skip


def test_f12_grace_is_over_by_our_clock_although_nothing_is_told(storm, late):
    account, _at = late
    over = account.delinquent_since + GRACE
    assert plan_of(account, at=over) == "free"
    storm.catch_up(at=over)
    latest = EntitlementSnapshot.objects.latest("version")
    assert (latest.plan_version.plan_id, latest.source, latest.valid_from) == ("free", "default", over)
    assert SubscriptionMirror.objects.get().status == "past_due"


def test_f12_after_the_last_try_the_plan_ends_and_the_rows_stay(storm, late):
    account, at = late
    storm.pass_time(account, at + timedelta(days=20))
    ended = SubscriptionMirror.objects.get()
    assert (ended.status, ended.cancellation_reason) == ("canceled", "payment_failed")
    assert plan_of(account, at=at + timedelta(days=20)) == "free"
    last = SubscriptionState.objects.latest("effective_at")
    assert (last.cause, last.mrr_micro) == ("payment_failed", 0)
    assert account.invoices.count() == 2
    assert account.owner.is_active


@pytest.mark.parametrize("amount", [300, 800])
def test_f14_a_refund_from_the_dashboard_is_written_down_and_takes_nothing(storm, amount):
    account = storm.bought("ben@example.org")
    (charge,) = [one for one in storm.stripe.objects("charge") if one["customer"] == account.stripe_customer_id]
    answer = storm.stripe.call("POST", "/v1/refunds", {"charge": charge["id"], "amount": str(amount)})
    assert answer.status_code == 200
    storm.settle()
    refund = RefundMirror.objects.get()
    assert (refund.amount_minor, refund.status) == (amount, "succeeded")
    assert plan_of(account) == "premium"
    assert SubscriptionState.objects.count() == 1


def test_f29_collection_that_is_paused_keeps_the_plan_until_the_paid_period_ends(storm):
    account = storm.bought("chloe@example.org")
    shop.change(storm.stripe, storm.subscription(account)["id"], **{"pause_collection[behavior]": "void"})
    storm.settle()
    paid = SubscriptionMirror.objects.get()
    assert (paid.status, paid.is_collection_paused, paid.mrr_micro) == ("active", True, 0)
    assert plan_of(account, at=paid.current_period_end - timedelta(seconds=1)) == "premium"
    assert plan_of(account, at=paid.current_period_end) == "free"
    assert SubscriptionState.objects.latest("effective_at").cause == "paused"


def test_f29_a_trial_that_ends_without_a_card_is_paused_and_gives_nothing(storm):
    account = storm.account("dora@example.org")
    shop.become_customer(account)
    known = {one["lookup_key"]: one["id"] for one in storm.stripe.objects("price") if one["active"]}
    fields = {
        "customer": account.stripe_customer_id,
        "items[0][price]": known["premium_month_usd"],
        "trial_period_days": "7",
        "trial_settings[end_behavior][missing_payment_method]": "pause",
    }
    assert storm.stripe.call("POST", "/v1/subscriptions", fields).status_code == 200
    storm.settle()
    assert (SubscriptionMirror.objects.get().status, plan_of(account)) == ("trialing", "premium")
    storm.pass_time(account, shop.now() + timedelta(days=7, hours=1))
    assert SubscriptionMirror.objects.get().status == "paused"
    assert plan_of(account, at=shop.now() + timedelta(days=7, hours=1)) == "free"


def test_f29_an_upgrade_that_is_not_paid_is_pending_and_changes_nothing(storm):
    account = storm.bought("eve@example.org")
    shop.use_card(storm.stripe, account, FAILS)
    subscription = storm.subscription(account)
    known = {one["lookup_key"]: one["id"] for one in storm.stripe.objects("price") if one["active"]}
    shop.change(
        storm.stripe,
        subscription["id"],
        **{
            "items[0][id]": subscription["items"]["data"][0]["id"],
            "items[0][price]": known["premium_plus_month_usd"],
            "payment_behavior": "pending_if_incomplete",
            "proration_behavior": "always_invoice",
        },
    )
    storm.settle()
    paid = SubscriptionMirror.objects.get()
    assert (paid.status, paid.has_pending_update, paid.plan_id) == ("active", True, "premium")
    assert plan_of(account) == "premium"
    assert SubscriptionState.objects.count() == 1
    storm.pass_time(account, shop.now() + timedelta(hours=24))
    paid.refresh_from_db()
    assert (paid.has_pending_update, paid.plan_id) == (False, "premium")


def test_f11_3d_secure_on_a_renewal_is_told_by_letter_and_banner_and_finished_at_stripe(storm):
    account = storm.bought("fred@example.org")
    shop.use_card(storm.stripe, account, "pm_card_authenticationRequired")
    at = storm.past_the_period(account)
    invoice = InvoiceMirror.objects.get(status="open")
    assert invoice.needs_action
    trouble = dunning.find_trouble(account, now=at)
    assert (trouble.kind, trouble.invoice, trouble.plan) == ("confirm", invoice.pk, "Premium")
    letters = [row.payload["letter"] for row in account.outbox.filter(kind="mail")]
    assert letters.count("action_required") == 1
    assert plan_of(account, at=at) == "premium"
    assert dunning.open_bill(account, now=at).endswith(f"/i/{invoice.pk}")
