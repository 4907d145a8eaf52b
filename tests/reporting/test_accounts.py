"""What each account brought and cost in each month, and the files of it."""

from datetime import UTC, date, datetime, timedelta

import pytest

from apps.billing.models import PaymentMirror
from apps.reporting import files
from apps.reporting.days import Period
from apps.reporting.models import AccountMonth, ExchangeRate
from tests import build, cast
from tests.reporting import history

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 4, 10, 12, 0, tzinfo=UTC)
MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)
DOLLAR = 1_000_000


def at(month, day, hour=10):
    return datetime(2026, month, day, hour, 0, tzinfo=UTC)


@pytest.fixture
def people(settings):
    """Ben pays 31.00 for March and asks on two days of it; ana is free and dear; eva uses bought credit in euros."""
    settings.INFRASTRUCTURE_MICRO_PER_ANSWER = 1_000
    ben, ana = history.account(owner=cast.ben(), at=at(3, 1)), history.account(owner=cast.ana(), at=at(3, 1))
    eva = history.account(owner=build.person(email="eva@example.org"), at=at(3, 1))
    subscription = build.stripe_subscription(account=ben, at=at(3, 1, 0))
    history.invoice(account=ben, start=at(3, 1, 0), total_minor=31_00, stripe_subscription_id=subscription.pk)
    for moment in (at(3, 2), at(3, 2, 11), at(3, 5)):
        build.answer(account=ben, at=moment, plan_key="premium", cost_micro=3 * DOLLAR)
    build.answer(account=ana, at=at(3, 3), cost_micro=4 * DOLLAR)
    build.answer(account=ana, at=at(4, 3), cost_micro=5 * DOLLAR)
    build.answer(account=eva, at=at(4, 4), currency="eur", channel="api", messages=0, earned_micro=2 * DOLLAR)
    return ben, ana, eva


def rows(month):
    found = AccountMonth.objects.filter(month=month).order_by("margin_micro")
    return {(row.account_id, row.currency): row for row in found}


def test_an_account_month_adds_up_what_came_and_what_it_cost(people):
    ben, ana, eva = people
    history.filled("accounts", now=NOW)
    march = rows(MARCH)
    assert set(march) == {(ben.pk, "usd"), (ana.pk, "usd")}
    row = march[ben.pk, "usd"]
    assert (row.plan, row.answers, row.messages, row.active_days) == ("premium", 3, 3, 2)
    assert (row.revenue_micro, row.model_cost_micro, row.infrastructure_micro) == (31 * DOLLAR, 9 * DOLLAR, 3_000)
    assert row.margin_micro == 31 * DOLLAR - 9 * DOLLAR - 3_000
    assert (march[ana.pk, "usd"].plan, march[ana.pk, "usd"].margin_micro) == ("free", -4 * DOLLAR - 1_000)
    april = rows(APRIL)
    assert april[eva.pk, "eur"].margin_micro == 2 * DOLLAR
    assert april[eva.pk, "usd"].margin_micro == -5 - 1_000


def test_a_month_that_is_over_is_told_again_when_a_row_comes_late_and_twice_is_once(people):
    ben, _ana, _eva = people
    history.filled("accounts", now=NOW)
    build.answer(
        account=ben, at=at(3, 9), recorded_at=NOW + timedelta(minutes=5), plan_key="premium", cost_micro=DOLLAR
    )
    for minutes in (10, 20):
        history.filled("accounts", now=NOW + timedelta(minutes=minutes))
    row = rows(MARCH)[ben.pk, "usd"]
    assert (row.answers, row.active_days, row.model_cost_micro) == (4, 3, 10 * DOLLAR)


def test_staff_and_internal_accounts_are_in_no_month(people):
    dana = history.account(owner=cast.dana(), at=at(3, 1))
    build.answer(account=dana, at=at(3, 3), cost_micro=900 * DOLLAR)
    history.filled("accounts", now=NOW)
    assert not AccountMonth.objects.filter(account=dana).exists()


def read(slug, first=MARCH, last=date(2026, 4, 10)):
    found = files.get_file(slug).rows(Period(first, last))
    names = [column.name for column in found.columns]
    return [dict(zip(names, row.cells, strict=True)) for row in found.page("", 100)]


def test_the_file_of_margins_adds_up_to_the_months(people):
    history.filled("accounts", now=NOW)
    found = read("customer_margin")
    assert len(found) == AccountMonth.objects.count()
    assert sum(row["margin"] for row in found) == sum(row.margin_micro for row in AccountMonth.objects.all())


def test_the_file_of_mrr_has_a_row_for_each_month_end_in_both_currencies(people):
    _ben, _ana, eva = people
    build.stripe_subscription(account=eva, at=at(4, 1), currency="eur", mrr_micro=10 * DOLLAR)
    found = read("mrr_per_customer_month")
    assert [(row["month"], row["currency"], row["mrr"], row["mrr_reporting"]) for row in found] == [
        (MARCH, "usd", 8 * DOLLAR, 8 * DOLLAR),
        (APRIL, "usd", 8 * DOLLAR, 8 * DOLLAR),
        (APRIL, "eur", 10 * DOLLAR, None),
    ]
    ExchangeRate.objects.create(day=APRIL, currency="eur", rate_micro=1_100_000)
    assert read("mrr_per_customer_month")[-1]["mrr_reporting"] == 11 * DOLLAR


def test_the_file_of_payments_says_what_went_back(people):
    ben, _ana, _eva = people
    invoice = ben.invoices.get()
    PaymentMirror.objects.create(
        stripe_payment_intent_id="pi_1", account=ben, invoice=invoice, status="succeeded", amount_minor=31_00,
        refunded_minor=5_00, currency="usd", is_disputed=True, created=at(3, 1), synced_at=at(3, 1),
    )  # fmt: skip
    [row] = read("payments")
    assert (row["invoice"], row["paid"], row["refunded"], row["disputed"]) == (
        invoice.pk,
        31 * DOLLAR,
        5 * DOLLAR,
        "yes",
    )


def test_the_file_of_usage_adds_up_to_the_ledger(people):
    history.filled("usage", "cost", now=NOW)
    found = read("usage_cost")
    assert sum(row["answers"] or 0 for row in found) == 6
    assert sum(row["cost"] or 0 for row in found) == 18 * DOLLAR + 5


def test_the_file_of_movements_adds_up_to_the_mrr(people):
    history.filled("movements", now=NOW)
    assert sum(row["delta"] for row in read("mrr_movements")) == 8 * DOLLAR
