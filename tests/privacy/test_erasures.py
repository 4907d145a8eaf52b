from datetime import timedelta

import pytest
from django.contrib.auth import authenticate

from apps.accounts.models import AuditEntry
from apps.billing.models import BillingAccount, StripeOutbox
from apps.chat.models import Conversation
from apps.core.errors import Missing
from apps.developer import keys
from apps.developer.models import ApiKey
from apps.inference.models import Run
from apps.privacy import erasures
from apps.privacy.models import DataRequest
from apps.privacy.registry import STORES
from apps.usage.models import UsageLedger
from tests import build, cast
from tests.build import NOW, PASSWORD
from tests.privacy.test_exports import life, made
from tests.reporting import history

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(minutes=2)
State = DataRequest.State


def leave(person, *, now=NOW):
    return erasures.ask_erasure(person, now=now)


def synced(account):
    """As if sync had read everything Stripe knows."""
    account.refresh_from_db()
    BillingAccount.objects.filter(pk=account.pk).update(sync_done_seq=account.sync_wanted_seq)


def test_erases_every_store_and_leaves_the_books_without_a_name():
    ana, mallory = cast.ana(), cast.mallory()
    life(ana, text="Bonjour")
    life(mallory, text="I was here")
    made(ana)
    history.invoice(account=ana.billing_account)
    request = leave(ana)
    assert erasures.continue_erasure(request.pk, now=NOW) is True
    request.refresh_from_db()
    assert (request.state, request.done_at) == (State.DONE, NOW)
    assert set(request.receipt) == {store.slug for store in STORES} | {erasures.STRIPE}
    assert not Conversation.objects.filter(owner=ana).exists()
    assert not ApiKey.objects.filter(account__owner=ana).exists()
    assert not DataRequest.objects.exclude(archive=None).exists()
    ana.refresh_from_db()
    assert (ana.email, ana.name, ana.is_active) == (f"left-{ana.pk}@invalid", "", False)
    assert ana.billing_account.erased_at == NOW
    assert ana.billing_account.invoices.count() == 1
    assert UsageLedger.objects.filter(account__owner=ana).count() >= 1
    assert Conversation.objects.filter(owner=mallory).count() == 1
    assert AuditEntry.objects.get(action="account.erased").subject == ana


def test_nobody_can_sign_in_from_the_first_moment_on():
    ana = cast.ana()
    assert authenticate(username="ana@example.org", password=PASSWORD) == ana
    request = leave(ana)
    assert authenticate(username="ana@example.org", password=PASSWORD) is None
    erasures.continue_erasure(request.pk, now=NOW)
    assert authenticate(username="ana@example.org", password=PASSWORD) is None
    assert build.person(email="ana@example.org").pk != ana.pk


def test_f24_a_live_subscription_is_cancelled_first_and_its_end_is_awaited():
    ben = cast.ben()
    life(ben, text="Bonjour")
    account = ben.billing_account
    BillingAccount.objects.filter(pk=account.pk).update(stripe_customer_id="cus_1")
    subscription = build.stripe_subscription(account=account)
    request = leave(ben)
    wanted = StripeOutbox.objects.get()
    assert (wanted.kind, wanted.payload) == ("cancel_subscription", {"subscription": subscription.pk})
    synced(account)
    assert erasures.continue_erasure(request.pk, now=NOW) is False
    request.refresh_from_db()
    assert (request.state, request.receipt) == (State.CANCELLING, {})
    assert Conversation.objects.filter(owner=ben).count() == 1
    assert StripeOutbox.objects.count() == 1
    account.subscriptions.update(status="canceled", ended_at=LATER)
    assert erasures.continue_erasure(request.pk, now=LATER) is True
    assert not Conversation.objects.filter(owner=ben).exists()
    assert DataRequest.objects.get(pk=request.pk).receipt[erasures.STRIPE] == 1


def test_news_from_stripe_are_read_before_anything_is_erased():
    ben = cast.ben()
    account = build.account(owner=ben, stripe_customer_id="cus_1")
    request = leave(ben)
    account.refresh_from_db()
    assert (account.sync_wanted_seq, account.sync_done_seq) == (1, 0)
    assert erasures.continue_erasure(request.pk, now=NOW) is False
    synced(account)
    assert erasures.continue_erasure(request.pk, now=LATER) is True


def test_a_running_answer_is_stopped_and_awaited():
    ana = cast.ana()
    account = build.account(owner=ana)
    run = Run.objects.create(
        account=account, channel="chat", job="chat.answer_message", queue="runs.free", model="chat-small",
        state="running", attempts=1, nudged_at=NOW, created_at=NOW,
    )  # fmt: skip
    request = leave(ana)
    run.refresh_from_db()
    assert run.stop_requested_at == NOW
    assert erasures.continue_erasure(request.pk, now=NOW) is False
    Run.objects.update(state="stopped", ended_at=LATER, text="half a thought")
    assert erasures.continue_erasure(request.pk, now=LATER) is True
    run.refresh_from_db()
    assert run.text == ""


def test_keys_open_nothing_from_the_first_moment_on():
    ana = cast.ana()
    _key, secret = keys.make_key(build.account(owner=ana), "laptop", now=NOW)
    assert keys.find_key(secret, now=NOW) is not None
    leave(ana)
    assert keys.find_key(secret, now=NOW) is None


def test_asking_twice_and_going_on_twice_change_nothing_more():
    ana = cast.ana()
    life(ana, text="Bonjour")
    request = leave(ana)
    assert leave(ana).pk == request.pk
    assert erasures.continue_erasure(request.pk, now=NOW) is True
    request.refresh_from_db()
    assert erasures.continue_erasure(request.pk, now=LATER) is False
    again = DataRequest.objects.get(pk=request.pk)
    assert (again.receipt, again.done_at) == (request.receipt, NOW)
    assert AuditEntry.objects.filter(action="account.erased").count() == 1


def test_a_worker_that_died_half_way_is_followed_by_one_that_finishes():
    ana = cast.ana()
    life(ana, text="Bonjour")
    request = leave(ana)
    STORES[0].erase(ana, now=NOW)
    DataRequest.objects.filter(pk=request.pk).update(receipt={STORES[0].slug: 1}, next_at=LATER, attempts=1)
    assert erasures.continue_erasure(request.pk, now=NOW) is False
    assert erasures.continue_erasure(request.pk, now=LATER) is True
    request.refresh_from_db()
    assert request.receipt[STORES[0].slug] == 1


def test_i12_a_subscription_that_comes_to_life_later_is_cancelled():
    ben = cast.ben()
    account = build.account(owner=ben)
    erasures.continue_erasure(leave(ben).pk, now=NOW)
    assert erasures.end_late_subscriptions(now=LATER) == 0
    late = build.stripe_subscription(account=account, at=LATER)
    assert erasures.end_late_subscriptions(now=LATER) == 1
    assert StripeOutbox.objects.get().payload == {"subscription": late.pk}


def test_staff_who_leave_stay_out_of_the_reports():
    dana = cast.dana()
    erasures.continue_erasure(leave(dana).pk, now=NOW)
    dana.refresh_from_db()
    assert (dana.is_staff, dana.is_internal) == (False, True)


def test_a_receipt_is_only_that_of_an_erasure():
    ana = cast.ana()
    export = made(ana)
    with pytest.raises(Missing):
        erasures.get_receipt(export.pk)
    assert erasures.get_receipt(leave(ana).pk).user == ana
