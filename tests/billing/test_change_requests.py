"""What was agreed to reaches Stripe once, wherever we or Stripe fail in between."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from apps.billing import catching_up, change_requests, entitlements, plan_changes, quotes
from apps.billing.errors import ChangeUnderWay
from apps.billing.models import BillingAccount, PlanChange, SubscriptionMirror
from tests import cast
from tests.support import shop

pytestmark = pytest.mark.django_db
SUBSCRIPTIONS = "/v1/subscriptions/"


def offer(account, plan="premium_plus", interval="month"):
    return plan_changes.offer(account, plan, interval, now=shop.now())


def agree(account, change):
    return plan_changes.agree(account, change.pk, clock=shop.now)


def agreed_and_forgotten(account, *, minutes=3, **offered):
    """As if we had died between the person's word and the call to Stripe."""
    change = offer(account, **offered)
    PlanChange.objects.update(state="agreed", agreed_at=shop.now() - timedelta(minutes=minutes))
    return change


def charged(sandbox, account):
    kept = sandbox.objects("charge")
    return len([one for one in kept if one["customer"] == account.stripe_customer_id and one["status"] == "succeeded"])


def test_an_answer_that_is_lost_is_asked_for_again_by_the_same_key(published, account):
    shop.buy(account)
    change = agreed_and_forgotten(account)
    published.fault("timeout_after", count=1, match=SUBSCRIPTIONS, seconds=0)
    change_requests.send_forgotten(clock=shop.now)
    change.refresh_from_db()
    assert change.state == "done"
    assert charged(published, account) == 2


def test_who_dies_before_asking_leaves_it_to_the_sweeper(published, account):
    shop.buy(account)
    change = agreed_and_forgotten(account)
    assert change_requests.send_forgotten(clock=shop.now) == 1
    change.refresh_from_db()
    assert change.state == "done"
    assert change_requests.send_forgotten(clock=shop.now) == 0
    assert charged(published, account) == 2


def test_the_minutes_job_is_the_sweeper(published, account):
    shop.buy(account)
    agreed_and_forgotten(account)
    assert catching_up.catch_up(clock=shop.now)["changes"] == 1
    assert PlanChange.objects.get().state == "done"


def test_who_dies_after_stripe_did_it_is_answered_by_a_sync(published, account):
    shop.buy(account)
    change = offer(account)
    agree(account, change)
    PlanChange.objects.update(state="agreed", answered_at=None)
    shop.look(account)
    change.refresh_from_db()
    assert change.state == "done"
    assert charged(published, account) == 2


def test_nobody_is_charged_long_after_they_agreed(published, account):
    shop.buy(account)
    change = agreed_and_forgotten(account, minutes=31)
    change_requests.send_forgotten(clock=shop.now)
    shop.look(account)
    change.refresh_from_db()
    assert change.state == "lapsed"
    assert (charged(published, account), SubscriptionMirror.objects.get().plan_id) == (1, "premium")


def test_a_fault_of_stripes_that_changed_nothing_lapses(published, account):
    shop.buy(account)
    change = agreed_and_forgotten(account)
    published.fault("http_500", count=1, match=SUBSCRIPTIONS)  # kept under the key: asking again gives it again
    change_requests.send_forgotten(clock=shop.now)
    change.refresh_from_db()
    assert change.state == "agreed"
    assert change_requests.send_forgotten(clock=shop.now) == 0
    shop.look(account)
    change.refresh_from_db()
    assert change.state == "lapsed"
    assert charged(published, account) == 1


def test_stripe_being_away_is_said_before_anything_is_agreed(published, account, settings):
    shop.buy(account)
    change = offer(account)
    base, settings.STRIPE_API_BASE = settings.STRIPE_API_BASE, "http://127.0.0.1:9"
    with pytest.raises(Exception, match="does not answer"):
        agree(account, change)
    change.refresh_from_db()
    assert change.state == "offered"
    settings.STRIPE_API_BASE = base
    assert agree(account, change).state == "done"


def test_a_downgrade_that_broke_off_half_way_is_finished(published, account):
    shop.buy(account, "premium_plus")
    change = agreed_and_forgotten(account, plan="premium")
    answer = published.call(
        "POST", "/v1/subscription_schedules", {"from_subscription": SubscriptionMirror.objects.get().pk}
    )
    assert answer.status_code == 200
    shop.look(account)
    change_requests.send_forgotten(clock=shop.now)
    shop.look(account)
    change.refresh_from_db()
    assert (change.state, SubscriptionMirror.objects.get().planned_price) == ("done", change.to_price)


def test_a_refusal_of_stripes_changes_nothing_and_is_kept(published, account):
    shop.buy(account)
    change = agreed_and_forgotten(account)
    shop.end_subscriptions(published, account)
    change_requests.send_forgotten(clock=shop.now)
    change.refresh_from_db()
    assert change.state == "refused"
    assert change.error
    assert charged(published, account) == 1


def test_a_look_that_began_before_the_answer_does_not_judge_it(published, account):
    shop.buy(account)
    change = offer(account)
    PlanChange.objects.update(state="unpaid", answered_at=shop.now())
    with transaction.atomic():
        change_requests.settle(account, began=shop.now() - timedelta(seconds=5), now=shop.now())
    change.refresh_from_db()
    assert change.state == "unpaid"
    shop.look(account)
    change.refresh_from_db()
    assert change.state == "lapsed"


def test_two_changes_are_never_under_way_at_once(published, account):
    shop.buy(account)
    agreed_and_forgotten(account)
    other = offer(account, "premium", "year")
    with pytest.raises(ChangeUnderWay):
        agree(account, other)
    other.refresh_from_db()
    assert (other.state, charged(published, account)) == ("offered", 1)


def test_the_database_holds_one_agreement_and_one_offer(published, account):
    shop.buy(account)
    first = agreed_and_forgotten(account)
    for state in ("agreed", "offered"):
        PlanChange.objects.filter(state="offered").delete()
        row = {"account": account, "subscription": first.subscription, "created_at": shop.now(), "kind": "cancel"}
        if state == "offered":
            PlanChange.objects.create(state=state, **row)
        with pytest.raises(IntegrityError, match=f"change_one_{state}"), transaction.atomic():
            PlanChange.objects.create(state=state, **row)


def test_a_click_that_asks_the_price_after_another_one_agreed_gives_what_that_became(published, account, monkeypatch):
    shop.buy(account)
    change, asked = offer(account), quotes.ask

    def overtaken(*facts, **more):
        monkeypatch.setattr(quotes, "ask", asked)
        assert agree(account, change).state in ("agreed", "done")
        return asked(*facts, **more)

    monkeypatch.setattr(quotes, "ask", overtaken)
    late = agree(BillingAccount.objects.get(pk=account.pk), change)
    assert (late.pk, late.state in ("agreed", "done")) == (change.pk, True)


@pytest.mark.django_db(transaction=True)
def test_two_tabs_at_once_charge_once(published):
    account = entitlements.account_for(cast.ana(), now=shop.now())
    shop.buy(account)
    change = offer(account)
    gate = threading.Barrier(2)

    def click(_number):
        try:
            gate.wait()
            return agree(BillingAccount.objects.get(pk=account.pk), change).state
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        states = set(pool.map(click, range(2)))
    assert states <= {"agreed", "done"}
    shop.look(account)
    assert PlanChange.objects.get(pk=change.pk).state == "done"
    assert charged(published, account) == 2
