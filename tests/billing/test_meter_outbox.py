"""What was used is told to Stripe once, whatever happens on the way (F25, F26, I7)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.billing import meter_outbox
from apps.billing.models import MeterOutbox
from apps.core import ids
from tests import build, cast
from tests.support import metering, shop

EVENT = "causerie_api_usage"
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def payer(published, account):
    """A customer whom Stripe knows."""
    shop.become_customer(account)
    return account


def wanted(account, *values, at=None, **fields):
    at = at or shop.now()
    return [
        MeterOutbox.objects.create(
            ledger_id=ids.uuid7(),
            account=account,
            event_name=EVENT,
            value=value,
            ts=at,
            next_at=at,
            **fields,
        )
        for value in values
    ]


def again():
    MeterOutbox.objects.update(next_at=shop.now())
    return metering.report()


def test_each_row_is_told_once(published, payer):
    wanted(payer, 5, 7, 9)
    assert metering.report() == 3
    assert again() == 0
    assert metering.counted(published, payer) == 21
    assert metering.states() == [(5, "sent"), (7, "sent"), (9, "sent")]


def test_an_answer_that_was_lost_is_asked_for_with_the_same_identifier(published, payer):
    [row] = wanted(payer, 5)
    published.fault("timeout_after", count=2, match="/v1/billing/meter_events", seconds=0.05)
    assert metering.report() == 0
    row.refresh_from_db()
    assert (row.state, row.attempts, row.error) == ("pending", 1, "PaymentsAway")
    published.http.request("DELETE", "/_sandbox/api/faults", json={})
    assert again() == 1
    assert metering.counted(published, payer) == 5


def test_a_fault_of_stripes_own_is_tried_again_later(published, payer):
    wanted(payer, 5)
    published.fault("http_500", count=1, match="/v1/billing/meter_events")
    metering.report()
    again()
    assert metering.states() == [(5, "sent")]
    assert metering.counted(published, payer) == 5


@pytest.mark.parametrize("arrived", [(True, True), (True, False), (False, False)])
def test_after_a_day_only_what_stripe_does_not_have_is_told(published, payer, arrived):
    at = shop.now() - timedelta(hours=30)
    rows = wanted(payer, 5, 7, at=at, first_tried_at=at, reported_ts=at, attempts=9)
    told = wanted(payer, 100, at=at, first_tried_at=at, reported_ts=at, state="sent")
    for row in [*(row for row, has in zip(rows, arrived, strict=True) if has), *told]:
        metering.tell(published, payer, row.value, at)
    assert metering.report() == 2
    assert metering.counted(published, payer) == 112
    assert metering.states() == [(5, "sent"), (7, "sent"), (100, "sent")]


def test_what_cannot_be_told_apart_is_shown_and_not_sent(published, payer):
    at = shop.now() - timedelta(hours=30)
    wanted(payer, 5, at=at, first_tried_at=at, reported_ts=at)
    metering.tell(published, payer, 6, at)
    assert metering.report() == 0
    assert metering.states() == [(5, "dead")]
    assert payer.drift_items.get().kind == "meter_refused"
    assert metering.counted(published, payer) == 6


def test_what_stripe_refuses_is_shown(published, payer):
    wanted(payer, 5, at=shop.now() + timedelta(minutes=20))
    MeterOutbox.objects.update(next_at=shop.now())
    assert metering.report() == 0
    assert metering.states() == [(5, "failed")]
    item = payer.drift_items.get()
    assert (item.kind, item.ours) == ("meter_refused", "5")
    assert metering.counted(published, payer) == 0


def test_usage_older_than_stripe_takes_is_told_as_of_the_oldest_moment(published, payer):
    wanted(payer, 5, at=shop.now() - timedelta(days=60))
    assert metering.report() == 1
    assert MeterOutbox.objects.get().reported_ts > shop.now() - timedelta(days=35)


@pytest.mark.parametrize(
    ("used_at", "now", "told"),
    [
        (datetime(2026, 3, 31, 23, tzinfo=UTC), datetime(2026, 4, 1, 0, 30, tzinfo=UTC), "its own"),  # still a draft
        (datetime(2026, 3, 31, 23, tzinfo=UTC), datetime(2026, 4, 1, 2, tzinfo=UTC), "the next"),
        (datetime(2026, 4, 1, 1, tzinfo=UTC), datetime(2026, 4, 1, 2, tzinfo=UTC), "its own"),
    ],
)
def test_usage_of_a_month_that_is_billed_counts_in_the_next(used_at, now, told):
    april = datetime(2026, 4, 1, tzinfo=UTC)
    expected = used_at if told == "its own" else april
    assert meter_outbox.moment_for(used_at, april, now=now) == expected


@pytest.mark.django_db
def test_a_row_that_is_claimed_waits_longer_with_each_try(account):
    wanted(account, 5, at=NOW)
    for attempts, wait_s in ((1, 30), (2, 60), (3, 120)):
        MeterOutbox.objects.update(next_at=NOW)
        [row] = meter_outbox._claim(now=NOW)
        assert (row.attempts, row.next_at - NOW, row.first_tried_at) == (attempts, timedelta(seconds=wait_s), NOW)


@pytest.mark.django_db(transaction=True)
def test_workers_at_once_share_the_rows(published):
    account = build.account(owner=cast.ana())
    shop.become_customer(account)
    wanted(account, *range(1, 101))

    def work(_number):
        try:
            return metering.report()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(work, range(4))) == 100
    assert metering.counted(published, account) == 5050


FAULTS = st.sampled_from(["", "http_500", "timeout_after"])


@settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(rounds=st.lists(st.tuples(st.lists(st.integers(1, 9_999), max_size=3), FAULTS), min_size=1, max_size=3))
def test_whatever_fails_on_the_way_the_meter_says_what_the_rows_say(published, payer, rounds):
    MeterOutbox.objects.all().delete()
    before = metering.counted(published, payer)
    for values, fault in rounds:
        wanted(payer, *values)
        if fault:
            published.fault(fault, count=2, match="/v1/billing/meter_events", seconds=0.05)
        again()
        published.http.request("DELETE", "/_sandbox/api/faults", json={})
    again()
    total = sum(MeterOutbox.objects.values_list("value", flat=True))
    assert {state for _value, state in metering.states()} <= {"sent"}
    assert metering.counted(published, payer) - before == total
