"""Whether the meter and our rows of usage agree: what is not told, and what a month that is over adds up to."""

from datetime import UTC, datetime, timedelta

import pytest

from apps.billing import drift, meter_drift, repairs
from apps.billing.models import DriftItem, MeterOutbox
from apps.core import ids
from tests import cast
from tests.support import metering, shop

pytestmark = pytest.mark.django_db
UNSENT, MISMATCH = "unsent_meter_events", "meter_total_mismatch"


@pytest.fixture
def payer(published, account):
    """A customer whom Stripe knows."""
    shop.become_customer(account)
    shop.look(account)
    return account


def this_month():
    return shop.now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def last_of_month():
    """A moment of the month before, of which Stripe still takes usage."""
    return this_month() - timedelta(hours=9)


def now():
    """Never so early in a month that the one before is not billed yet."""
    return max(shop.now(), this_month() + timedelta(hours=3))


def row(account, value, *, state="sent", at=None, **fields):
    at = at or last_of_month()
    facts = {"event_name": "causerie_api_usage", "ts": at, "next_at": at, "reported_ts": at, **fields}
    return MeterOutbox.objects.create(ledger_id=ids.uuid7(), account=account, value=value, state=state, **facts)


def found(account, *, is_dry=True):
    report = drift.reconcile(account.pk, is_dry=is_dry, clock=now)
    return [(one.kind, one.subject, one.ours, one.stripe) for _owner, one in report.differences]


def of_all(account, *, is_dry=False):
    report = drift.reconcile(None, is_dry=is_dry, clock=now)
    kinds = (UNSENT, MISMATCH)
    return [one.kind for owner, one in report.differences if owner == str(account.pk) and one.kind in kinds]


def still_open(account):
    return list(account.drift_items.filter(fixed_at=None).values_list("kind", flat=True))


@pytest.mark.parametrize(
    ("state", "age", "is_found"),
    [
        ("pending", timedelta(minutes=59), False),
        ("pending", timedelta(minutes=61), True),
        ("failed", timedelta(0), True),
        ("dead", timedelta(0), True),
        ("sent", timedelta(days=3), False),
    ],
)
def test_usage_that_is_not_told_within_the_hour_or_never_is_found(payer, state, age, is_found):
    row(payer, 5, state=state, at=shop.now() - age)
    kinds = [one.kind for one in meter_drift.compare(payer, (), now=shop.now())]
    assert kinds == ([UNSENT] if is_found else [])


def test_it_says_how_much_since_when_and_is_closed_once_stripe_has_it(published, payer):
    at = shop.now() - timedelta(hours=2)
    row(payer, 5, state="pending", at=at, reported_ts=None)
    row(payer, 7, state="pending", at=at + timedelta(minutes=1), reported_ts=None)
    expected = (UNSENT, "", f"2 rows, 12 micro-units, since {at:%Y-%m-%d %H:%M}", "")
    assert found(payer) == [expected]
    assert not DriftItem.objects.exists()
    assert found(payer, is_dry=False) == [expected]
    assert still_open(payer) == [UNSENT]
    assert metering.report() == 2
    assert found(payer, is_dry=False) == []
    assert still_open(payer) == []


def test_staff_have_it_told_again_at_once(published, payer):
    at = shop.now() - timedelta(hours=2)
    waiting = row(payer, 5, state="failed", at=at, attempts=9, error="refused", reported_ts=None)
    refused = DriftItem.objects.create(
        kind="meter_refused", subject=str(waiting.pk), account=payer, severity="high", first_seen=at, last_seen=at
    )
    found(payer, is_dry=False)
    repairs.ask(DriftItem.objects.get(kind=UNSENT), by=cast.dana(), now=shop.now())
    assert metering.report() == 1
    assert metering.counted(published, payer) == 5
    found(payer, is_dry=False)
    assert still_open(payer) == []
    refused.refresh_from_db()
    assert refused.fixed_at is not None


def test_a_month_that_agrees_is_no_difference(published, payer):
    for value in (5, 7):
        row(payer, value)
        metering.tell(published, payer, value, last_of_month())
    assert found(payer) == []


def test_a_month_of_which_stripe_counted_something_else_is_shown_until_it_agrees(published, payer):
    row(payer, 12)
    metering.tell(published, payer, 5, last_of_month())
    subject = f"{last_of_month():%Y-%m}"
    assert found(payer) == [(MISMATCH, subject, "12", "5")]
    assert not DriftItem.objects.exists()
    assert found(payer, is_dry=False) == [(MISMATCH, subject, "12", "5")]
    assert still_open(payer) == [MISMATCH]
    metering.tell(published, payer, 7, last_of_month())
    found(payer, is_dry=False)
    assert still_open(payer) == []


def test_a_month_that_did_not_agree_is_compared_for_as_long_as_it_is_shown(published, payer):
    row(payer, 12)
    found(payer, is_dry=False)
    later = (this_month() + timedelta(days=70)).replace(hour=12)
    drift.reconcile(payer.pk, is_dry=False, clock=lambda: later)
    assert still_open(payer) == [MISMATCH]


def test_what_was_only_counted_there_is_found_where_usage_may_be_charged(published, payer):
    metering.tell(published, payer, 5, last_of_month())
    assert found(payer) == []
    row(payer, 1, at=shop.now(), state="sent")
    row(payer, 1, at=last_of_month(), state="failed")
    assert (MISMATCH, f"{last_of_month():%Y-%m}", "0", "5") in found(payer)


def test_a_month_of_which_something_is_on_its_way_is_not_judged(published, payer):
    row(payer, 12)
    row(payer, 3, state="pending", first_tried_at=last_of_month())
    assert MISMATCH not in {kind for kind, *_rest in found(payer)}


def test_what_a_customer_that_was_replaced_used_counts_too(published, payer):
    row(payer, 5)
    metering.tell(published, payer, 5, last_of_month())
    payer.former_customers.create(pk=payer.stripe_customer_id, livemode=False, replaced_at=shop.now())
    type(payer).objects.filter(pk=payer.pk).update(stripe_customer_id=None)
    payer.refresh_from_db()
    shop.become_customer(payer)
    assert found(payer) == []


def test_of_a_customer_that_is_deleted_nothing_is_compared(published, payer):
    row(payer, 5)
    assert published.call("DELETE", f"/v1/customers/{payer.stripe_customer_id}").status_code == 200
    assert MISMATCH not in {kind for kind, *_rest in found(payer, is_dry=False)}


def test_the_comparison_of_everything_finds_both_and_a_dry_one_keeps_nothing(published, payer):
    row(payer, 12)
    row(payer, 5, state="failed", at=shop.now())
    assert sorted(set(of_all(payer, is_dry=True))) == [MISMATCH, UNSENT]
    assert not DriftItem.objects.exists()
    assert sorted(set(of_all(payer))) == [MISMATCH, UNSENT]
    assert sorted(still_open(payer)) == [MISMATCH, UNSENT]
    MeterOutbox.objects.all().delete()
    of_all(payer)
    assert still_open(payer) == []


def test_the_nightly_run_finds_both(published, payer):
    row(payer, 12)
    row(payer, 5, state="failed", at=shop.now())
    while not drift.reconcile_for(timedelta(minutes=5), clock=now):
        pass
    assert sorted(still_open(payer)) == [MISMATCH, UNSENT]


@pytest.mark.parametrize(
    ("at", "month"),
    [
        (datetime(2026, 4, 1, 1, 59, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)),
        (datetime(2026, 4, 1, 2, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)),
        (datetime(2026, 1, 15, tzinfo=UTC), datetime(2025, 12, 1, tzinfo=UTC)),
    ],
)
def test_a_month_is_closed_two_hours_after_its_end(at, month):
    assert meter_drift.last_closed(at) == month
