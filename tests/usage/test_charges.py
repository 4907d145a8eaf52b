"""Usage that the month's end charges: one source for each call, up to a cap, told to Stripe once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from apps.billing.models import BillingAccount, MeterOutbox, Overage
from apps.core import clock
from apps.core.errors import PaymentNeeded
from apps.usage import charges, credits, ledger, sweep
from apps.usage.models import UsageAlert, UsageBucket, UsageLedger, UsageReservation
from tests import build, cast
from tests.usage.test_ledger import used

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
CAP = 10_000


def charged(*, cap_micro=CAP, **fields):
    """An account whose usage is charged, as if Stripe had begun the subscription."""
    account = build.account(owner=fields.pop("owner", None) or build.person(email="charged@example.org"), **fields)
    mirror = build.stripe_subscription(account=account)
    moments = {"consented_at": NOW, "changed_at": NOW}
    Overage.objects.create(
        account=account, is_on=True, cap_micro=cap_micro, currency="usd", stripe_subscription_id=mirror.pk, **moments
    )
    return account


def spend(account, number, price_micro, *, most_micro=None, at=NOW):
    run = UUID(int=number)
    build.act(ledger.reserve_payment, account, run, most_micro or price_micro, currency="usd", timeout_s=60, now=at)
    return build.act(ledger.settle, run, used(channel="api", price_micro=price_micro, occurred_at=at), now=at).row


@pytest.mark.django_db
def test_credit_pays_while_it_lasts_and_then_the_months_end():
    account = charged()
    build.credit(account=account, amount_micro=1_000)
    first, second = spend(account, 1, 700), spend(account, 2, 500)
    assert (first.credit_micro, first.charged_micro) == (-700, 0)
    assert (second.credit_micro, second.charged_micro) == (0, 500)
    assert credits.balance_micro(account) == 300
    row = MeterOutbox.objects.get()
    assert (row.ledger_id, row.event_name, row.value, row.ts) == (second.pk, "causerie_api_usage", 500, NOW)
    assert (row.state, row.account, row.attempts) == ("pending", account, 0)
    assert charges.so_far_micro(account, now=NOW) == 500


@pytest.mark.django_db
def test_a_call_is_paid_from_the_source_that_was_chosen_at_its_beginning():
    account, run = charged(), UUID(int=1)
    build.act(ledger.reserve_payment, account, run, 400, currency="usd", timeout_s=60, now=NOW)
    build.credit(account=account, amount_micro=1_000)
    build.act(ledger.reserve_payment, account, run, 400, currency="usd", timeout_s=60, now=NOW)
    row = build.act(ledger.settle, run, used(channel="api", price_micro=300, occurred_at=NOW), now=NOW).row
    assert (row.credit_micro, row.charged_micro) == (0, 300)
    assert credits.balance_micro(account) == 1_000


@pytest.mark.django_db
def test_the_cap_is_met_before_the_call_and_says_what_lifts_it():
    account = charged()
    spend(account, 1, 9_000)
    with pytest.raises(PaymentNeeded) as refused:
        spend(account, 2, 1_001)
    refusal = refused.value.refusal
    assert (refusal.code, refusal.limit, refusal.used) == ("usage_cap_reached", CAP, 9_000)
    assert (refusal.lifted_by, refusal.resets_at) == ("spending_cap", datetime(2026, 4, 1, tzinfo=UTC))
    assert not UsageReservation.objects.of_run(UUID(int=2)).exists()
    assert charges.so_far_micro(account, now=NOW) == 9_000
    assert MeterOutbox.objects.count() == 1


@pytest.mark.django_db
def test_the_next_month_has_all_of_the_cap():
    account = charged()
    spend(account, 1, CAP)
    april = datetime(2026, 4, 1, tzinfo=UTC)
    spend(account, 2, CAP, at=april)
    assert charges.so_far_micro(account, now=april) == CAP


@pytest.mark.django_db
@pytest.mark.parametrize("trouble", [{"hold_reason": "dispute"}, {"delinquent_since": NOW}])
def test_a_held_or_unpaid_account_has_credit_only(trouble):
    account = charged(**trouble)
    with pytest.raises(PaymentNeeded) as refused:
        spend(account, 1, 1)
    assert refused.value.refusal.code == "credit_spent"
    assert not UsageLedger.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("status", ["past_due", "unpaid", "canceled", "incomplete", "paused"])
def test_a_subscription_that_is_not_paid_charges_nothing(status):
    account = charged()
    account.subscriptions.update(status=status)
    with pytest.raises(PaymentNeeded):
        spend(account, 1, 1)
    assert not MeterOutbox.objects.exists()


@pytest.mark.django_db
def test_who_did_not_turn_it_on_or_turned_it_off_has_credit_only():
    account = charged()
    Overage.objects.update(is_on=False)
    with pytest.raises(PaymentNeeded):
        spend(account, 1, 1)
    assert not UsageBucket.objects.exists()


@pytest.mark.django_db
def test_an_answer_that_costs_nothing_is_told_to_nobody():
    assert spend(charged(), 1, 0, most_micro=10).charged_micro == 0
    assert not MeterOutbox.objects.exists()


@pytest.mark.django_db
def test_settling_twice_tells_it_once():
    account = charged()
    first = spend(account, 1, 10)
    again = build.act(ledger.settle, UUID(int=1), used(channel="api", price_micro=10, occurred_at=NOW), now=NOW).row
    assert again.pk == first.pk
    assert MeterOutbox.objects.count() == 1


@pytest.mark.django_db
def test_what_is_released_or_expires_leaves_room():
    account = charged()
    for number in (1, 2):
        run = UUID(int=number)
        build.act(ledger.reserve_payment, account, run, 5_000, currency="usd", timeout_s=60, now=NOW)
    build.act(ledger.release, UUID(int=1), now=NOW)
    assert charges.so_far_micro(account, now=NOW) == 5_000
    assert sweep.expire_reservations(now=datetime(2026, 3, 2, 9, 5, tzinfo=UTC)) == 1
    assert charges.so_far_micro(account, now=NOW) == 0
    assert not MeterOutbox.objects.exists()


@pytest.mark.django_db
def test_settling_after_its_time_is_charged_all_the_same():
    account, run = charged(), UUID(int=1)
    build.act(ledger.reserve_payment, account, run, 5_000, currency="usd", timeout_s=60, now=NOW)
    sweep.expire_reservations(now=datetime(2026, 3, 2, 9, 5, tzinfo=UTC))
    build.act(ledger.settle, run, used(channel="api", price_micro=4_000, occurred_at=NOW), now=NOW)
    assert charges.so_far_micro(account, now=NOW) == 4_000
    assert MeterOutbox.objects.get().value == 4_000


@pytest.mark.django_db
def test_eighty_percent_of_the_cap_is_told_by_letter():
    account = charged()
    spend(account, 1, 8_000)
    alert = UsageAlert.objects.get()
    assert (alert.percent, alert.limit_value, alert.bucket.meter) == (80, CAP, "usage_charges")
    letter = account.outbox.get(kind="mail").payload
    assert (letter["letter"], letter["scope"], letter["used_micro"]) == ("spending_alert", "charges", "8000")


@pytest.mark.django_db
def test_developers_terms_hold_while_it_is_on():
    account = charged()
    assert credits.api_terms(account, build.plan()).concurrency == 100
    assert credits.api_terms(account, build.plan()).api_requests_per_minute == 600
    Overage.objects.update(is_on=False)
    assert credits.api_terms(account, build.plan()).api_requests_per_minute == 20


@pytest.mark.django_db
def test_a_call_that_credit_covers_asks_nothing_about_charges():
    account = charged()
    build.credit(account=account, amount_micro=1_000)
    with CaptureQueriesContext(connection) as captured, transaction.atomic():
        ledger.reserve_payment(account, UUID(int=1), 10, currency="usd", timeout_s=60, now=NOW)
    assert not any("billing_overage" in query["sql"] for query in captured)


@pytest.mark.django_db(transaction=True)
def test_of_calls_that_race_for_the_last_of_the_cap_one_passes():
    account = charged(owner=cast.ana())
    spend(account, 1, CAP - 10)

    def call(number):
        try:
            spend(BillingAccount.objects.get(pk=account.pk), 100 + number, 10)
        except PaymentNeeded as refused:
            return refused.refusal.code
        finally:
            connection.close()
        return "passed"

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(call, range(8))) == ["passed"] + ["usage_cap_reached"] * 7
    assert UsageBucket.objects.get(meter="usage_charges").settled == CAP
    assert sum(MeterOutbox.objects.values_list("value", flat=True)) == CAP


@pytest.mark.django_db
def test_the_plan_page_says_what_was_charged_so_far_to_its_owner_alone(client):
    account = charged(cap_micro=50_000_000, owner=cast.ana())
    spend(account, 1, 12_340_000, at=clock.now())
    client.force_login(account.owner)
    assert "12.34 of 50.00 USD" in " ".join(client.get("/settings/plan/").content.decode().split())
    assert "12.34 of 50.00 USD" in " ".join(client.get("/settings/usage/").content.decode().split())
    client.force_login(cast.mallory())
    assert "Usage charges" not in client.get("/settings/plan/").content.decode()
