"""Other prices and limits, counted on the usage of a month that is known."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from django.http import QueryDict

from apps.core.errors import Invalid
from apps.reporting import what_if
from apps.reporting.days import Period
from apps.reporting.models import AccountMonth
from apps.reporting.scope import Scope
from apps.reporting.what_if import Line, Wish
from tests import build, cast
from tests.reporting import history

DOLLAR = 1_000_000
NOW = datetime(2026, 4, 10, 12, 0, tzinfo=UTC)
MARCH = date(2026, 3, 1)
NOW_LINE = Line(subscriptions=10, mrr_micro=80 * DOLLAR, messages=1000, model_cost_micro=20 * DOLLAR,
                infrastructure_micro=DOLLAR)  # fmt: skip


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        pytest.param(Wish(), NOW_LINE, id="nothing"),
        pytest.param(Wish(leaving_percent=50), NOW_LINE, id="nobody leaves a price that stays"),
        pytest.param(
            Wish({"premium": 10 * DOLLAR}),
            Line(10, 100 * DOLLAR, 1000, 20 * DOLLAR, DOLLAR),
            id="two dollars more",
        ),
        pytest.param(
            Wish({"premium": 10 * DOLLAR}, leaving_percent=20),
            Line(8, 80 * DOLLAR, 800, 16 * DOLLAR, 800_000),
            id="and every fifth leaves",
        ),
        pytest.param(Wish(cost_percent=50), Line(10, 80 * DOLLAR, 1000, 10 * DOLLAR, DOLLAR), id="cheaper models"),
        pytest.param(Wish({"premium": 0}), Line(10, 0, 1000, 20 * DOLLAR, DOLLAR), id="given away"),
        pytest.param(Wish({"other": 99 * DOLLAR}), NOW_LINE, id="another plan"),
    ],
)
def test_a_wish_moves_what_it_says_and_nothing_else(wish, expected):
    assert what_if.apply(wish, "premium", 8 * DOLLAR, NOW_LINE, NOW_LINE) == expected


@pytest.fixture
def march(db):
    """Three free accounts asked 10, 50 and 100 times in March, each message a cent; one pays."""
    for number, messages in enumerate((10, 50, 100)):
        account = history.account(owner=build.person(email=f"p{number}@example.org"))
        AccountMonth.objects.create(
            month=MARCH, account=account, currency="usd", plan="free", answers=messages, messages=messages,
            model_cost_micro=messages * 10_000, margin_micro=-messages * 10_000,
        )  # fmt: skip
    build.stripe_subscription(account=history.account(owner=cast.ben()), at=NOW - timedelta(days=9))
    history.filled("revenue", now=NOW)


def outcomes(wish):
    today = NOW.date()
    return {one.plan: one for one in what_if.read_outcomes(wish, Scope(Period(today, today), NOW, "usd"))}


def test_a_limit_stops_who_went_beyond_it_and_keeps_the_rest(march):
    free = outcomes(Wish(messages={"free": 40}))["free"]
    assert (free.accounts, free.stopped, free.now.messages, free.then.messages) == (3, 2, 160, 90)
    assert (free.now.model_cost_micro, free.then.model_cost_micro) == (1_600_000, 900_000)


def test_a_limit_of_one_plan_leaves_the_others(march):
    free = outcomes(Wish(messages={"premium": 1}))["free"]
    assert (free.stopped, free.then) == (0, free.now)


def test_what_subscriptions_bill_now_is_the_basis(march):
    premium = outcomes(Wish({"premium": 10 * DOLLAR}))["premium"]
    assert premium.price_micro == 8 * DOLLAR
    assert (premium.now.mrr_micro, premium.then.mrr_micro) == (8 * DOLLAR, 10 * DOLLAR)


def test_the_open_month_is_the_basis_until_one_is_over(db, march):
    assert what_if.month_of_basis(NOW.date()) == MARCH
    AccountMonth.objects.all().delete()
    assert what_if.month_of_basis(NOW.date()) == date(2026, 4, 1)


@pytest.mark.parametrize(
    "asked", ["price_premium=ten", "price_premium=-1", "messages_free=1.5", "leaving=101", "cost=-5", "leaving=²"]
)
def test_nonsense_is_refused_in_words(asked):
    with pytest.raises(Invalid, match="Write a"):
        what_if.read_wish(QueryDict(asked), currency="usd")


def test_the_page_counts_again_and_keeps_what_was_written(client, march):
    client.force_login(cast.dana())
    page = client.get("/admin/reports/what-if/?price_premium=10&leaving=5").content.decode()
    assert 'value="10"' in page
    assert 'value="5"' in page
    refused = client.get("/admin/reports/what-if/?price_premium=ten")
    assert refused.status_code == 400
    assert re.search(r'role="alert">Write a price', refused.content.decode())
    client.force_login(cast.mallory())
    assert client.get("/admin/reports/what-if/").status_code == 403
