"""What was missed is found again."""

from datetime import timedelta

import pytest

from apps.billing import catching_up, checkout, entitlements, grants, leases, sync
from apps.billing.grants import Span
from apps.billing.models import BillingAccount, CheckoutAttempt, EntitlementSnapshot, StripeEvent, StripeOutbox
from tests.build import NOW
from tests.support import shop

pytestmark = pytest.mark.django_db


def catch_up(at=None):
    return catching_up.catch_up(clock=lambda: at or shop.now())


def test_nothing_was_missed(published):
    found = catch_up()
    assert {key: found[key] for key in ("attempts", "waiting", "wanted", "sent")} == {
        "attempts": 0,
        "waiting": 0,
        "wanted": 0,
        "sent": 0,
    }


def test_a_lost_delivery_is_read_from_stripe(published, account):
    shop.pay(checkout.open_checkout(account, "premium", "month", "usd", now=shop.now()))
    assert catch_up()["deliveries"] > 0
    assert StripeEvent.objects.filter(type="customer.subscription.created").exists()
    assert leases.is_wanted(account.pk)
    assert sync.sync_customer(account.pk, clock=shop.now)
    assert entitlements.plan_for(account, now=shop.now()).key == "premium"
    assert catch_up()["deliveries"] == 0  # not again within ten minutes


def test_a_payment_page_that_is_open_for_long_is_looked_at(published, account):
    shop.pay(checkout.open_checkout(account, "premium", "month", "usd", now=shop.now()))
    assert catch_up(shop.now() + timedelta(minutes=4))["attempts"] == 0
    late = shop.now() + timedelta(minutes=6)
    assert catch_up(late)["attempts"] == 1
    shop.look(account, at=late)
    assert CheckoutAttempt.objects.get().state == "complete"
    assert catch_up(late)["attempts"] == 0


def test_a_page_that_never_opened_expires(account):
    CheckoutAttempt.objects.create(account=account, lookup_key="x", created_at=NOW, expires_at=NOW + timedelta(hours=1))
    catch_up(NOW + timedelta(minutes=59))
    assert CheckoutAttempt.objects.get().state == "open"
    catch_up(NOW + timedelta(hours=1))
    assert CheckoutAttempt.objects.get().state == "expired"


def test_a_lost_nudge_is_sent_again(account, monkeypatch):
    BillingAccount.objects.update(sync_wanted_seq=3, sync_done_seq=2)
    sent = []
    monkeypatch.setattr(catching_up.jobs, "enqueue", lambda *words: sent.append(words))
    assert catch_up()["wanted"] == 1
    assert sent == [("billing.sync_customer", str(account.pk))]


def test_payloads_are_dropped_after_thirty_days(db):
    StripeEvent.objects.create(id="evt_1", type="x", livemode=False, created=NOW, received_at=NOW, payload={"a": 1})
    assert catch_up(NOW + timedelta(days=30))["payloads_dropped"] == 0
    assert catch_up(NOW + timedelta(days=30, seconds=1))["payloads_dropped"] == 1
    assert StripeEvent.objects.get().payload is None


def test_a_plan_that_ran_out_becomes_the_next_snapshot(account, settings):
    settings.STRIPE_SECRET_KEY = ""
    grants.give(account, "premium", Span(NOW, NOW + timedelta(days=1)), reason="a trial", by=None, now=NOW)
    assert catching_up.catch_up(clock=lambda: NOW)["run_out"] == 0
    later = NOW + timedelta(days=1)
    assert catching_up.catch_up(clock=lambda: later)["run_out"] == 1
    first, second = EntitlementSnapshot.objects.order_by("version")
    assert (second.plan_version.plan_id, second.source, second.valid_from) == ("free", "default", later)
    assert second.valid_until is None
    assert catching_up.catch_up(clock=lambda: later)["run_out"] == 0
    assert first.valid_until == later
    assert not StripeOutbox.objects.exists()
