"""What stops all that an account has: a disputed payment, through the local Stripe, or staff's word."""

from datetime import timedelta

import pytest

from apps.accounts.models import AuditEntry
from apps.billing import checkout, entitlements, holds, inbox, outbox, stripe_gateway
from apps.billing.errors import NotHoldable, OnHold
from apps.billing.models import DisputeMirror, DriftItem, StripeOutbox, SubscriptionMirror
from tests import cast
from tests.support import shop

pytestmark = pytest.mark.django_db


def plan(account):
    account.refresh_from_db()
    return entitlements.plan_for(account, now=shop.now()).key


def disputed(sandbox, account):
    """A payment whose owner goes to the bank; the dispute's id."""
    shop.buy(account, card="4000000000000259")
    return sandbox.objects("dispute")[0]["id"]


def settle(sandbox, account, dispute, how):
    answer = sandbox.http.post(f"/_sandbox/api/disputes/{dispute}/decide", json={"outcome": how})
    assert answer.status_code == 200, answer.text
    shop.look(account)


def letters():
    return [row.payload["letter"] for row in StripeOutbox.objects.filter(kind="mail").order_by("pk")]


def test_f13_a_dispute_holds_from_its_beginning_and_staff_see_until_when_to_answer(published, account):
    dispute = disputed(published, account)
    assert (account.hold_reason, plan(account)) == ("dispute", "free")
    mirrored = DisputeMirror.objects.get()
    assert (mirrored.pk, mirrored.amount_minor, mirrored.reason) == (dispute, 800, "fraudulent")
    item = DriftItem.objects.get(kind="dispute", fixed_at=None)
    assert (item.subject, item.severity, item.account) == (dispute, "high", account)
    assert item.stripe == f"needs_response, answer by {mirrored.evidence_due_by:%Y-%m-%d}"
    assert letters().count("plan_held") == 1
    assert "plan_started" not in letters()
    shop.look(account)
    assert letters().count("plan_held") == 1


@pytest.mark.parametrize("how", ["won", "prevented"])
def test_f13_a_dispute_that_comes_to_nothing_lifts_the_hold(published, account, how):
    dispute = disputed(published, account)
    settle(published, account, dispute, how)
    assert (account.hold_reason, plan(account)) == ("", "premium")
    assert not DriftItem.objects.filter(kind="dispute", fixed_at=None).exists()


def test_f13_a_bank_that_only_asks_holds_too_until_it_has_its_answer(published, account):
    shop.buy(account)
    charge = published.objects("charge")[0]["id"]
    opened = published.http.post(f"/_sandbox/api/charges/{charge}/dispute", json={"inquiry": True})
    assert opened.status_code == 200
    for event in stripe_gateway.background().list_events(since=shop.now() - timedelta(hours=1)):
        inbox.keep(event, now=shop.now())
    shop.look(account)
    assert (account.hold_reason, plan(account)) == ("dispute", "free")
    settle(published, account, published.objects("dispute")[0]["id"], "warning_closed")
    assert (account.hold_reason, plan(account)) == ("", "premium")


def test_f13_a_dispute_that_is_lost_ends_what_was_bought_and_no_second_trial_is_given(published, account):
    dispute = disputed(published, account)
    settle(published, account, dispute, "lost")
    assert (account.hold_reason, plan(account)) == ("dispute", "free")
    assert account.trial_consumed_at is not None
    outbox.send_due(clock=shop.now)
    shop.look(account)
    assert SubscriptionMirror.objects.get().status == "canceled"


def test_who_is_held_can_buy_nothing_and_no_page_is_opened(published, account):
    shop.become_customer(account)
    holds.place(account, reason="stolen cards", by=cast.dana(), now=shop.now())
    account.refresh_from_db()
    before = len(published.objects("checkout.session"))
    with pytest.raises(OnHold):
        checkout.open_checkout(account, "premium", "month", "usd", now=shop.now())
    assert len(published.objects("checkout.session")) == before


def test_staff_lift_a_lost_dispute_with_a_reason_and_the_person_can_buy_again(published, account):
    dispute = disputed(published, account)
    settle(published, account, dispute, "lost")
    outbox.send_due(clock=shop.now)
    shop.look(account)
    dana = cast.dana()
    holds.lift(account, reason="paid by transfer", by=dana, now=shop.now() + timedelta(seconds=2))
    account.refresh_from_db()
    assert account.hold_reason == ""
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.subject, entry.reason) == (
        "account.lift", dana, account.owner, "paid by transfer",
    )  # fmt: skip
    shop.buy(account)
    assert plan(account) == "premium"
    assert not StripeOutbox.objects.filter(kind="cancel_subscription", state="pending").exists()


def test_staff_s_hold_outlives_a_sync_and_is_lifted_by_staff(published, account):
    shop.buy(account)
    holds.place(account, reason="stolen cards", by=cast.dana(), now=shop.now())
    assert plan(account) == "free"
    shop.look(account)
    assert (account.hold_reason, plan(account)) == ("staff", "free")
    holds.lift(account, reason="a mistake", by=None, now=shop.now())
    assert plan(account) == "premium"
    assert [entry.action for entry in AuditEntry.objects.order_by("pk")] == ["account.hold", "account.lift"]


def test_without_a_reason_nothing_is_held(published, account):
    shop.buy(account)
    with pytest.raises(NotHoldable, match="say why"):
        holds.place(account, reason=" ", by=None, now=shop.now())
    assert plan(account) == "premium"
    assert not AuditEntry.objects.exists()
