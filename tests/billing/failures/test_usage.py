"""F25, F26: usage that ends late, and usage that might be told twice."""

from datetime import UTC, datetime, timedelta

import pytest

from apps.billing import meter_outbox
from apps.billing.models import MeterOutbox
from apps.core import ids
from tests.support import shop

APRIL = datetime(2026, 4, 1, tzinfo=UTC)
EVENT = "causerie_api_usage"


@pytest.mark.parametrize(
    ("used_at", "now", "told"),
    [
        (APRIL - timedelta(hours=1), APRIL + timedelta(minutes=30), APRIL - timedelta(hours=1)),  # March is open yet
        (APRIL - timedelta(hours=1), APRIL + timedelta(hours=2), APRIL),  # March is billed
        (APRIL + timedelta(hours=1), APRIL + timedelta(hours=2), APRIL + timedelta(hours=1)),
        (APRIL - timedelta(days=60), APRIL - timedelta(days=1), APRIL - timedelta(days=1) - meter_outbox.OLDEST),
    ],
)
def test_f25_usage_that_ends_after_its_period_counts_where_the_bill_is_still_open(used_at, now, told):
    assert meter_outbox.moment_for(used_at, APRIL, now=now) == told
    assert now - told < timedelta(days=35)


METER = {
    "display_name": "API usage",
    "event_name": EVENT,
    "default_aggregation[formula]": "sum",
    "customer_mapping[type]": "by_id",
    "customer_mapping[event_payload_key]": "stripe_customer_id",
    "value_settings[event_payload_key]": "value",
}


@pytest.fixture
def meter(storm):
    """The meter at Stripe, made where the catalogue sells no usage."""
    if not storm.stripe.objects("billing.meter"):
        assert storm.stripe.call("POST", "/v1/billing/meters", METER).status_code == 200


def told(storm, account):
    """What Stripe has counted for an account in the last two days."""
    (meter,) = storm.stripe.objects("billing.meter")
    end = int(shop.now().timestamp()) // 60 * 60 + 120
    query = f"customer={account.stripe_customer_id}&start_time={end - 2 * 86_400}&end_time={end}"
    answer = storm.stripe.call("GET", f"/v1/billing/meters/{meter['id']}/event_summaries?{query}").json()
    return round(sum(row["aggregated_value"] for row in answer["data"]))


def test_f26_usage_whose_answer_was_lost_is_told_again_and_counts_once(storm, meter):
    account = storm.account("heavy@example.org")
    shop.become_customer(account)
    at = shop.now()
    for value in (5, 7):
        MeterOutbox.objects.create(
            ledger_id=ids.uuid7(), account=account, event_name=EVENT, value=value, ts=at, next_at=at
        )
    storm.stripe.fault("timeout_after", count=6, match="/v1/billing/meter_events", seconds=0.05)
    meter_outbox.send_due(clock=shop.now)
    assert set(MeterOutbox.objects.values_list("state", flat=True)) == {"pending"}
    storm.calm_down()
    for _ in range(2):
        MeterOutbox.objects.update(next_at=shop.now())
        meter_outbox.send_due(clock=shop.now)
    assert set(MeterOutbox.objects.values_list("state", flat=True)) == {"sent"}
    assert told(storm, account) == 12
