"""Jobs of billing: nudges that may come late, twice, or never."""

import uuid

import pytest
from structlog.testing import capture_logs

from apps.billing import checkout, entitlements, leases, sync, tasks
from apps.billing.models import PaymentMirror, StripeOutbox, SubscriptionState
from tests.support import shop

pytestmark = pytest.mark.django_db


def test_one_job_looks_and_a_second_changes_nothing(published, account):
    shop.pay(checkout.open_checkout(account, "premium", "month", "usd", now=shop.now()))
    sync.want(account)
    for _ in range(2):
        assert tasks.sync_customer.apply(args=[str(account.pk)]).successful()
    assert entitlements.plan_for(account, now=shop.now()).key == "premium"
    assert SubscriptionState.objects.count() == 1
    assert not leases.is_wanted(account.pk)


def test_a_nudge_without_news_asks_stripe_nothing(account, settings):
    type(account).objects.update(stripe_customer_id="cus_1", sync_wanted_seq=3, sync_done_seq=3)
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    with capture_logs() as said:
        assert tasks.sync_customer.apply(args=[str(account.pk)]).successful()
    assert said == []


def test_an_account_that_is_gone_is_no_error(db):
    assert tasks.sync_customer.apply(args=[str(uuid.uuid4())]).successful()


def test_a_job_gives_up_quietly_and_the_counter_remembers(account, settings):
    type(account).objects.update(stripe_customer_id="cus_1")
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    sync.want(account)
    done = tasks.sync_customer.apply(args=[str(account.pk)], retries=tasks.MOST_RETRIES)
    assert done.successful()
    assert leases.is_wanted(account.pk)


def test_letters_and_catching_up_run(published, account):
    shop.buy(account)
    assert tasks.send_outbox.apply().successful()
    letters = {row.payload["letter"]: row.state for row in StripeOutbox.objects.all()}
    assert letters == {"plan_started": "done", "receipt": "done"}
    assert tasks.catch_up.apply().successful()


def test_fees_wait_for_the_next_run_where_stripe_cannot_be_reached(published, account, settings):
    shop.buy(account)
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    with capture_logs() as said:
        assert tasks.read_fees.apply().successful()
    assert [line["event"] for line in said if line["event"].startswith("billing.fees")] == ["billing.fees_later"]
    assert PaymentMirror.objects.get().fee_minor is None
    settings.STRIPE_API_BASE = published.base
    assert tasks.read_fees.apply().successful()
    assert PaymentMirror.objects.get().fee_minor == 53
