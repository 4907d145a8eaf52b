"""Whether Stripe and we agree, and what repairs it."""

from datetime import timedelta
from itertools import groupby

import pytest

from apps.billing import catching_up, drift, entitlements
from apps.billing.errors import PaymentsAway, ReconciliationBusy
from apps.billing.models import (
    DriftItem,
    InvoiceMirror,
    PaymentMirror,
    Reconciliation,
    RefundMirror,
    SubscriptionItemMirror,
    SubscriptionMirror,
)
from tests import build
from tests.support import shop

pytestmark = pytest.mark.django_db


def kinds(account, *, is_dry=True):
    report = drift.reconcile(account.pk, is_dry=is_dry, clock=shop.now)
    return sorted(one.kind for _owner, one in report.differences)


def everything(*, is_dry=False):
    """What a comparison of all finds, as kind and subject."""
    report = drift.reconcile(None, is_dry=is_dry, clock=shop.now)
    return {(one.kind, one.subject) for _owner, one in report.differences}


def test_nothing_differs_after_a_look(published, account):
    shop.buy(account)
    assert kinds(account) == []


def test_a_webhook_that_never_came_is_found_and_repaired(published, account):
    url = shop.checkout.open_checkout(account, "premium", "month", "usd", now=shop.now())
    shop.pay(url)
    account.refresh_from_db()
    assert kinds(account) == ["entitlement_mismatch", "invoice", "missing_locally"]
    assert not DriftItem.objects.exists()
    assert entitlements.plan_for(account, now=shop.now()).key == "free"
    kinds(account, is_dry=False)
    assert entitlements.plan_for(account, now=shop.now()).key == "premium"
    assert DriftItem.objects.filter(fixed_at=None).count() == 0
    assert DriftItem.objects.exclude(fixed_at=None).count() == 3
    assert kinds(account) == []


def test_a_status_that_changed_unseen(published, account):
    shop.buy(account)
    published.call("DELETE", f"/v1/subscriptions/{SubscriptionMirror.objects.get().pk}")
    assert kinds(account) == ["entitlement_mismatch", "status"]
    assert kinds(account, is_dry=False) == ["entitlement_mismatch", "status"]
    assert entitlements.plan_for(account, now=shop.now()).key == "free"


def test_rows_that_somebody_changed_here(published, account):
    shop.buy(account)
    SubscriptionItemMirror.objects.update(quantity=5)
    SubscriptionMirror.objects.update(current_period_end=None)
    build.subscription(account=account, plan="premium_plus")
    assert kinds(account) == ["entitlement_mismatch", "period", "quantity"]
    kinds(account, is_dry=False)
    assert kinds(account) == []


def test_a_subscription_that_stripe_does_not_know(published, account):
    shop.buy(account)
    paid = SubscriptionMirror.objects.get()
    SubscriptionMirror.objects.create(
        stripe_subscription_id="sub_ghost",
        account=account,
        status="active",
        plan=paid.plan,
        currency="usd",
        started_at=paid.started_at,
        synced_at=paid.synced_at,
    )
    assert kinds(account) == ["missing_in_stripe"]
    kinds(account, is_dry=False)
    assert SubscriptionMirror.objects.get(pk="sub_ghost").gone_at is not None
    assert kinds(account) == []


def test_a_customer_who_pays_and_belongs_to_nobody(published, account):
    shop.buy(account)
    published.call("POST", f"/v1/customers/{account.stripe_customer_id}", {"metadata[account_id]": ""})
    type(account).objects.update(stripe_customer_id="cus_other")
    assert ("orphan_customer", account.stripe_customer_id) in everything(is_dry=True)
    assert not DriftItem.objects.exists()
    everything()
    item = DriftItem.objects.get(kind="orphan_customer", subject=account.stripe_customer_id)
    assert (item.account, item.severity, item.fixed_at) == (None, "high", None)
    type(account).objects.update(stripe_customer_id=account.stripe_customer_id)
    everything()
    item.refresh_from_db()
    assert item.fixed_at is not None


# --- everything at once ---
def test_all_of_it_finds_nothing_after_a_look_and_repairs_what_is_found(published, account):
    shop.buy(account)
    assert of(account, everything()) == set()
    paid = SubscriptionMirror.objects.get()
    shop.change(published, paid.pk, cancel_at_period_end="true")
    published.call("DELETE", f"/v1/subscriptions/{paid.pk}")
    assert ("status", paid.pk) in everything(is_dry=True)
    assert SubscriptionMirror.objects.get().status == "active"
    assert ("status", paid.pk) in everything()
    assert SubscriptionMirror.objects.get().status == "canceled"
    assert of(account, everything()) == set()
    run = Reconciliation.objects.latest("started_at")
    assert run.finished_at is not None
    assert run.accounts >= 1


def of(account, found):
    """Only what concerns this account: the local Stripe keeps what other tests made."""
    mine = {account.stripe_customer_id, str(account.pk), *SubscriptionMirror.objects.values_list("pk", flat=True)}
    mine |= set(InvoiceMirror.objects.values_list("pk", flat=True))
    return {(kind, subject) for kind, subject in found if subject in mine}


def test_a_customer_deleted_unseen_is_found_though_no_list_names_it(published, account):
    shop.buy(account)
    published.call("DELETE", f"/v1/customers/{account.stripe_customer_id}")
    everything()
    account.refresh_from_db()
    assert account.customer_gone_at is not None
    assert entitlements.plan_for(account, now=shop.now()).key == "free"


def test_an_old_refund_that_nobody_told_us_of_is_found(published, account):
    shop.buy(account)
    payment = PaymentMirror.objects.get()
    published.call("POST", "/v1/refunds", {"charge": payment.stripe_charge_id, "amount": "300"})
    everything()
    assert RefundMirror.objects.get().amount_minor == 300
    assert (PaymentMirror.objects.get().refunded_minor, InvoiceMirror.objects.count()) == (300, 1)
    assert not DriftItem.objects.filter(account=account, fixed_at=None).exists()


def test_a_customer_whose_id_never_reached_us_says_whose_it_is(published, account):
    shop.buy(account)
    customer = account.stripe_customer_id
    type(account).objects.update(stripe_customer_id=None)
    SubscriptionMirror.objects.update(status="canceled")
    assert ("orphan_customer", customer) not in everything()
    account.refresh_from_db()
    assert account.stripe_customer_id == customer
    assert SubscriptionMirror.objects.get().status == "active"


def test_a_customer_that_names_another_account_is_set_right(published, account):
    shop.buy(account)
    customer = account.stripe_customer_id
    published.call("POST", f"/v1/customers/{customer}", {"metadata[account_id]": "somebody"})
    assert kinds(account) == ["metadata_mismatch"]
    kinds(account, is_dry=False)
    assert published.call("GET", f"/v1/customers/{customer}").json()["metadata"]["account_id"] == str(account.pk)
    assert kinds(account) == []


def test_a_snapshot_that_does_not_follow_from_the_mirror(published, account):
    shop.buy(account)
    build.subscription(account=account, plan="premium_plus")
    assert ("entitlement_mismatch", str(account.pk)) in everything()
    assert entitlements.plan_for(account, now=shop.now()).key == "premium"


def test_an_account_of_the_other_kind_of_money(published, account):
    shop.buy(account)
    type(account).objects.update(livemode=True)
    assert kinds(account) == ["livemode_mismatch"]


# --- slices ---
def test_a_run_goes_on_where_it_stood(published, account):
    shop.buy(account)
    names = []
    while not drift.reconcile_for(timedelta(0), clock=shop.now):
        run = Reconciliation.objects.get(finished_at=None)
        names.append(run.walk)
        assert run.turn_until is None
        assert len(names) < 200
    assert Reconciliation.objects.get().finished_at is not None
    order = ["customers", "unseen", "invoices", "refunds", "disputes", "access"]
    walks = [name for name, _same in groupby(names)]
    assert walks == [name for name in order if name in walks]
    assert {"customers", "invoices", "access"} <= set(walks)


def test_a_run_has_one_worker_at_a_time(published, account):
    Reconciliation.objects.create(started_at=shop.now(), turn_until=shop.now() + timedelta(minutes=1))
    assert drift.reconcile_for(timedelta(minutes=1), clock=shop.now) is True
    with pytest.raises(ReconciliationBusy):
        drift.reconcile(None, is_dry=False, clock=shop.now)
    assert Reconciliation.objects.get().finished_at is None
    Reconciliation.objects.update(turn_until=shop.now() - timedelta(seconds=1))
    assert drift.reconcile_for(timedelta(minutes=1), clock=shop.now) is True
    assert Reconciliation.objects.get().finished_at is not None


def test_a_slice_that_stripe_broke_off_is_taken_up_again(published, account):
    shop.buy(account)
    published.fault("http_500", count=20, match="/v1/invoices")
    with pytest.raises(PaymentsAway):
        drift.reconcile_for(timedelta(minutes=1), clock=shop.now)
    run = Reconciliation.objects.get()
    assert (run.walk, run.turn_until, run.finished_at) == ("invoices", None, None)
    assert catching_up.catch_up(clock=shop.now)["reconciliations"] == 1
    published.http.request("DELETE", "/_sandbox/api/faults", json={})
    assert drift.reconcile_for(timedelta(minutes=1), clock=shop.now) is True
