"""Each metric against a small business whose figures were worked out on paper (tests/reporting/history.py)."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection

from apps.accounts.models import User
from apps.billing.models import BillingAccount, RefundMirror, SubscriptionMirror, SubscriptionState
from apps.reporting import days, opened
from apps.reporting.days import Period
from apps.reporting.metrics.base import Fact, Slice
from apps.reporting.metrics.families import FAMILIES, METRICS
from apps.reporting.metrics.revenue import accounts_at
from tests import build, cast
from tests.bench import company
from tests.reporting import history
from tests.reporting.history import DAY_1, DAY_2, FIRST, SECOND

pytestmark = pytest.mark.django_db
PREMIUM = {"plan": "premium", "interval": "month", "currency": "usd", "age": "new"}
CHAT = {"model": "chat-small", "backend": "local", "channel": "chat"}


def facts(slug, day):
    return list(METRICS[slug].compute(day))


def values(slug, day):
    return [fact.value for fact in facts(slug, day) if fact.value]


def test_mrr_is_what_live_subscriptions_bill_each_month():
    history.small_business()
    assert facts("mrr", DAY_1) == [Fact("mrr", 8_000_000, **PREMIUM)]
    assert facts("mrr", DAY_2) == [Fact("mrr", 8_000_000, **PREMIUM)]
    assert facts("mrr", date(2026, 2, 28)) == []


def test_exactly_one_premium_subscription_and_one_paying_account():
    history.small_business()
    assert facts("subscriptions", DAY_2) == [Fact("subscriptions", 1, **PREMIUM)]
    assert values("paying_customers", DAY_2) == [1]
    assert values("free_accounts", DAY_2) == [1]


def test_the_latest_state_of_a_day_counts_and_an_ended_one_brings_nothing():
    _ana, ben, _dana = history.small_business()
    subscription = ben.subscriptions.get()
    build.subscription_state(subscription=subscription, mrr_micro=40_000_000, at=SECOND, cause="upgrade")
    build.subscription_state(
        subscription=subscription, mrr_micro=0, at=SECOND + timedelta(days=1), status="canceled", cause="voluntary"
    )
    assert [values("mrr", day) for day in days.each(DAY_1, date(2026, 3, 3))] == [[8_000_000], [40_000_000], []]
    assert [values("paying_customers", day) for day in days.each(DAY_1, date(2026, 3, 3))] == [[1], [1], []]
    assert values("free_accounts", date(2026, 3, 3)) == [2]


def forget_statistics(*models):
    """As of tables that were just made; autovacuum may have seen them with a few rows of other tests, or with none."""
    tables = [model._meta.db_table for model in models]
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE " + ", ".join(tables) + " CASCADE")  # how many rows
        cursor.execute("DELETE FROM pg_statistic WHERE starelid = ANY(%s::regclass[])", [tables])  # what is in them


def test_free_accounts_are_found_by_one_join_while_postgres_has_no_statistics():
    forget_statistics(User, BillingAccount, SubscriptionMirror, SubscriptionState)
    account = history.account(owner=cast.ana())
    subscription = build.stripe_subscription(account=account, at=FIRST)
    keys = {"owner": company.uuid_of("n", 1), "account": company.uuid_of("n", 2), "subscription": "'sub_' || n"}
    company.copy(account.owner, 3000, id=keys["owner"], email="'p' || n || '@example.org'")
    company.copy(account, 3000, id=keys["account"], owner_id=keys["owner"])
    mine = {"account_id": keys["account"]}
    company.copy(subscription, 1000, stripe_subscription_id=keys["subscription"], **mine)
    state = subscription.states.get()
    company.copy(state, 1000, id=company.uuid_of("n", 3), subscription_id=keys["subscription"], **mine)
    assert values("free_accounts", DAY_2) == [2000]
    plan = accounts_at(days.end_of(DAY_2), pays=False).explain()
    assert plan.count(" on billing_billingaccount ") == 1  # those that pay are told by their states alone
    assert "Anti Join" in plan
    assert "Join Filter: (v0.account_id" not in plan  # each account with each state


def test_an_account_with_two_subscriptions_pays_once():
    _ana, ben, _dana = history.small_business()
    build.stripe_subscription(account=ben, plan="premium_plus", mrr_micro=33_000_000, interval="year", at=SECOND)
    assert values("subscriptions", DAY_2) == [1, 1]
    assert values("paying_customers", DAY_2) == [1]
    assert sum(values("mrr", DAY_2)) == 41_000_000


def test_currencies_are_never_added():
    eva = history.account(owner=build.person(email="eva@example.org"))
    build.stripe_subscription(account=eva, at=FIRST, currency="eur")
    history.small_business()
    assert sorted((fact.currency, fact.value) for fact in facts("mrr", DAY_1)) == [
        ("eur", 8_000_000),
        ("usd", 8_000_000),
    ]


def test_answers_and_tokens_by_day_with_their_provenance():
    history.small_business()
    assert facts("messages", DAY_1) == [Fact("messages", 2, plan="free", provenance="reported", **CHAT)]
    assert sorted(values("answers", DAY_2)) == [1, 1]
    estimated = [fact for fact in facts("input_tokens", DAY_2) if fact.provenance == "estimated"]
    assert estimated == [Fact("input_tokens", 40, plan="free", provenance="estimated", **CHAT)]
    assert sum(values("output_tokens", DAY_2)) == 520


def test_cost_and_api_revenue():
    ana, _ben, _dana = history.small_business()
    build.answer(account=ana, at=SECOND, channel="api", messages=0, price_micro=700, cost_micro=300)
    build.answer(account=ana, at=SECOND, kind="grant", channel="api", messages=0, credit_micro=10**6, cost_micro=0)
    assert sum(values("model_cost", DAY_1)) == 6
    assert sum(values("model_cost", DAY_2)) == 352
    assert values("usage_revenue", DAY_1) == []
    assert values("usage_revenue", DAY_2) == [700]


def test_an_answer_priced_in_euros_that_cost_us_dollars_is_in_both_figures_in_its_own():
    ana, _ben, _dana = history.small_business()
    build.answer(
        account=ana, at=SECOND, channel="api", messages=0, price_micro=700, cost_micro=300,
        currency="eur", cost_currency="usd",
    )  # fmt: skip
    sold = {"plan": "free", "provenance": "reported", "model": "chat-small", "backend": "local", "channel": "api"}
    assert facts("usage_revenue", DAY_2) == [Fact("usage_revenue", 700, currency="eur", **sold)]
    assert Fact("model_cost", 300, currency="usd", **sold) in facts("model_cost", DAY_2)
    assert {fact.currency for fact in facts("model_cost", DAY_2)} == {"usd"}


@pytest.mark.parametrize(
    ("slug", "currency", "found"),
    [
        ("usage_revenue", "eur", [("eur", 700)]),
        ("usage_revenue", "usd", []),
        ("model_cost", "eur", []),
        ("model_cost", "usd", [("usd", 300)]),
        ("model_cost", "", [("usd", 300)]),
    ],
)
def test_the_rows_behind_price_and_cost_are_told_apart_by_their_own_currency(slug, currency, found):
    ana = history.account(owner=cast.ana())
    build.answer(
        account=ana, at=SECOND, channel="api", price_micro=700, cost_micro=300, currency="eur", cost_currency="usd"
    )
    rows = METRICS[slug].rows(Slice(Period(DAY_2, DAY_2), {"currency": currency} if currency else {}))
    names = [column.name for column in rows.columns]
    assert names[-2] == "currency"
    assert [row.cells[-2:] for row in rows.page("", 10)] == found
    assert rows.count() == len(found)


def test_revenue_is_earned_day_by_day_and_a_refund_takes_it_back():
    _ana, ben, _dana = history.small_business()
    assert values("recognised_revenue", DAY_1) == [260_000]  # 8.00 over 31 days: 0.26, then 0.52 by the second
    assert values("recognised_revenue", DAY_2) == [260_000]
    RefundMirror.objects.create(
        stripe_refund_id="re_1",
        account=ben,
        amount_minor=8_00,
        currency="usd",
        status="succeeded",
        created=SECOND,
        synced_at=SECOND,
    )
    assert values("recognised_revenue", DAY_2) == [260_000 - 8_000_000]


@pytest.mark.parametrize("fields", [{"status": "open"}, {"status": "void"}, {"stripe_subscription_id": ""}])
def test_what_is_unpaid_or_no_subscription_earns_nothing(fields):
    history.invoice(account=history.account(owner=cast.ben()), **fields)
    assert values("recognised_revenue", DAY_1) == []


@pytest.mark.parametrize(
    ("person", "account"),
    [
        ({"is_staff": True}, {}),
        ({"is_internal": True}, {}),
        ({}, {"stripe_customer_id": "cus_1", "livemode": True}),
    ],
)
def test_test_data_is_in_no_figure(person, account):
    owner = build.person(email="tester@example.org", **person)
    tester = history.account(owner=owner, **account)
    build.stripe_subscription(account=tester, at=FIRST)
    build.answer(account=tester, at=FIRST, channel="api", price_micro=10)
    history.invoice(account=tester)
    assert [fact for family in FAMILIES.values() for fact in family.compute(DAY_1)] == []


def test_with_a_live_key_live_customers_count(settings):
    settings.STRIPE_SECRET_KEY = "sk_live_1"
    live = history.account(owner=cast.ben(), stripe_customer_id="cus_1", livemode=True)
    build.stripe_subscription(account=live, at=FIRST)
    assert values("mrr", DAY_1) == [8_000_000]


def test_days_are_cut_in_the_reporting_time_zone(settings):
    settings.REPORTING_TIMEZONE = "America/New_York"
    ana = history.account(owner=cast.ana())
    build.answer(account=ana, at=datetime(2026, 3, 2, 4, 59, tzinfo=UTC))
    assert values("messages", DAY_1) == [1]
    assert values("messages", DAY_2) == []


@pytest.mark.parametrize("slug", sorted(METRICS))
def test_each_metric_says_what_it_means_and_opens_its_rows(slug):
    history.small_business()
    metric = METRICS[slug]
    assert len(str(metric.formula)) > 40
    rows = opened.rows_behind(metric, Slice(Period(DAY_1, DAY_2)))
    page = rows.page("", 100)
    assert rows.count() == len(page)
    assert all(len(row.cells) == len(rows.columns) for row in page)
