import csv
import json
import re
from datetime import timedelta
from decimal import Decimal
from io import StringIO

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient

from apps.accounts.models import AuditEntry
from apps.billing.models import DriftItem, StripeEvent
from apps.core import clock
from apps.reporting import days, fill
from apps.reporting.metrics.families import METRICS
from apps.reporting.models import MetricDay
from tests import build, cast
from tests.reporting import history

pytestmark = pytest.mark.django_db
OVERVIEW = "/admin/reports/"
PAGES = [OVERVIEW, "/admin/reports/mrr/rows/", "/admin/reports/mrr/rows.csv", "/admin/reports/days.csv"]


@pytest.fixture
def dana(client):
    """Staff, signed in."""
    person = cast.dana()
    client.force_login(person)
    return person


def number(page, metric, currency=""):
    """The big figure of a card."""
    card = re.search(rf'data-metric="{metric}" data-currency="{currency}".*?</article>', page, re.S).group()
    return re.search(r'class="number"[^>]*>([^<]+)<', card).group(1)


def read_file(client, url):
    """A streamed file as rows."""
    user = AsyncClient()
    user.cookies = client.cookies
    response = async_to_sync(user.get)(url)
    assert response.status_code == 200
    chunks = async_to_sync(collect)(response)
    return list(csv.DictReader(StringIO(chunks)))


async def collect(response):
    return b"".join([chunk async for chunk in response.streaming_content]).decode()


def upgraded_today():
    """Ana is free and asks twice; Ben has just bought Premium."""
    now = clock.now()
    ana, ben = build.account(owner=cast.ana(), created_at=now), build.account(owner=cast.ben(), created_at=now)
    build.answer(account=ana, at=now)
    build.answer(account=ana, at=now, cost_micro=2_000_000, input_tokens=1200)
    build.stripe_subscription(account=ben, at=now)
    history.invoice(account=ben, start=now, length=timedelta(days=32))
    return ana, ben


@pytest.mark.parametrize("url", PAGES)
def test_a_stranger_is_asked_to_sign_in(client, url):
    response = client.get(url)
    assert response.status_code == 302
    assert response["Location"].startswith("/admin/login/?next=")


@pytest.mark.parametrize("url", PAGES)
def test_who_is_not_staff_sees_nothing(client, url):
    client.force_login(cast.mallory())
    response = client.get(url)
    assert response.status_code == 403
    assert b"MRR" not in response.content
    assert not AuditEntry.objects.exists()


def test_after_one_upgrade_it_shows_one_premium_subscription_and_eight_dollars(client, dana):
    upgraded_today()
    page = client.get(OVERVIEW).content.decode()
    assert number(page, "mrr", "usd") == "USD 8.00"
    assert number(page, "subscriptions") == "1"
    assert re.findall(r'data-plan="(\w+)">([^<]+)<', page) == [("premium", "1 Premium")]
    assert (number(page, "paying_customers"), number(page, "free_accounts")) == ("1", "1")
    assert (number(page, "messages"), number(page, "input_tokens")) == ("2", "1,300")
    assert number(page, "model_cost", "usd") == "USD 2.00"
    assert number(page, "recognised_revenue", "usd") == "USD 0.25"
    assert number(page, "margin", "usd") == "−USD 1.75"
    assert "MRR rose by USD 8.00 to USD 8.00 in 30 days. 1 account pays, 1 is free." in page


def test_today_is_true_at_the_next_look(client, dana):
    ana, _ben = upgraded_today()
    client.get(OVERVIEW)
    fill.FillState.objects.update(filled_at=clock.now() - timedelta(seconds=6))
    build.answer(account=ana, at=clock.now())
    assert number(client.get(OVERVIEW).content.decode(), "messages") == "3"


def test_every_metric_has_a_card_a_formula_and_a_chart(client, dana):
    upgraded_today()
    page = client.get(OVERVIEW).content.decode()
    assert {*re.findall(r'data-metric="(\w+)"', page)} == set(METRICS)
    charts = [json.loads(text) for text in re.findall(r'<script id="chart-[^>]*>(.*?)</script>', page)]
    assert len(charts) == len(METRICS)
    mrr = next(chart for chart in charts if chart["title"] == "MRR")
    assert (mrr["unit"], mrr["kind"], len(mrr["days"])) == ("usd", "line", 30)
    assert mrr["series"][0]["values"] == [0.0] * 29 + [8.0]


def test_says_what_is_wrong_and_what_is_left_out(client, dana):
    now = clock.now()
    DriftItem.objects.create(kind="status", severity="high", first_seen=now, last_seen=now)
    DriftItem.objects.create(kind="price", severity="low", first_seen=now, last_seen=now, fixed_at=now)
    StripeEvent.objects.create(id="evt_1", type="invoice.paid", livemode=False, created=now, received_at=now)
    build.account(owner=dana, created_at=now)
    page = client.get(OVERVIEW).content.decode()
    strip = dict(re.findall(r'data-health="([\w-]+)">(\d+)', page))
    assert strip == {"drift": "1", "events": "1", "dirty": "0", "left-out": "1"}


def test_every_figure_of_the_page_opens_its_rows(client, dana):
    upgraded_today()
    page = client.get(OVERVIEW).content.decode()
    links = {link.replace("&amp;", "&") for link in re.findall(r'href="(/admin/reports/[^"]+/rows/[^"]*)"', page)}
    assert {link.split("/")[3] for link in links} == set(METRICS)
    today = str(days.day_of(clock.now()))
    for link in sorted(links):
        if today in link:
            assert client.get(link).status_code == 200, link


@pytest.mark.parametrize("slug", sorted(METRICS))
def test_a_file_adds_up_to_its_figure(client, dana, slug):
    upgraded_today()
    client.get(OVERVIEW)
    rows = read_file(client, f"/admin/reports/{slug}/rows.csv?day={days.day_of(clock.now())}")
    metric = METRICS[slug]
    if slug == "margin":
        assert [(row["recognised"], row["cost"], row["margin"]) for row in rows] == [
            ("0.250000", "2.000005", "-1.750005")
        ]
        return
    expected = sum(MetricDay.objects.filter(metric=slug).values_list("value", flat=True))
    if metric.unit.is_money:
        column = {"model_cost": "cost_micro", "usage_revenue": "price_micro", "recognised_revenue": "recognised"}.get(
            slug, slug
        )
        assert sum(Decimal(row[column]) for row in rows) * 10**6 == expected
    elif slug in ("messages", "input_tokens", "output_tokens"):
        assert sum(int(row[slug]) for row in rows) == expected
    else:
        assert len(rows) == expected


def test_taking_a_file_away_is_noted(client, dana):
    upgraded_today()
    client.get(OVERVIEW)
    day = str(days.day_of(clock.now()))
    read_file(client, f"/admin/reports/messages/rows.csv?day={day}")
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action) == (dana, "export.csv")
    assert entry.details == {"file": "messages", "from": day, "to": day, "rows": 2}


def test_the_facts_themselves_can_be_taken_away(client, dana):
    upgraded_today()
    client.get(OVERVIEW)
    rows = read_file(client, "/admin/reports/days.csv")
    assert len(rows) == MetricDay.objects.count()
    mrr = next(row for row in rows if row["metric"] == "mrr")
    assert (mrr["plan"], mrr["currency"], mrr["count"], mrr["amount"]) == ("premium", "usd", "", "8.000000")


def test_rows_are_read_page_by_page_without_gap_or_repeat(client, dana):
    ana = build.account(owner=cast.ana(), created_at=clock.now())
    for number_of in range(120):
        build.answer(account=ana, at=clock.now(), input_tokens=number_of)
    url, seen = "/admin/reports/input_tokens/rows/", []
    while url:
        page = client.get(url).content.decode()
        seen += re.findall(r'class="count">(\d+)</td>', page)
        following = re.search(r'rel="next" href="([^"]+)"', page)
        url = "/admin/reports/input_tokens/rows/" + following.group(1).replace("&amp;", "&") if following else ""
    assert sorted(map(int, seen)) == list(range(120))


@pytest.mark.parametrize(
    "url",
    [
        "/admin/reports/?days=0",
        "/admin/reports/?days=two",
        "/admin/reports/mrr/rows/?day=yesterday",
        "/admin/reports/mrr/rows/?day=0001-01-01",
        "/admin/reports/mrr/rows/?from=2026-03-02&to=2026-03-01",
        "/admin/reports/mrr/rows/?from=2020-03-02&to=2026-03-01",
        "/admin/reports/mrr/rows/?after=nonsense",
        "/admin/reports/mrr/rows/?after=0~2026-03-01~x",
        "/admin/reports/messages/rows/?after=0~2026-03-01T00:00:00%2B00:00~x",
        "/admin/reports/margin/rows/?after=99",
    ],
)
def test_nonsense_in_the_address_is_refused_in_words(client, dana, url):
    response = client.get(url)
    assert response.status_code == 400
    assert "Please" in response.content.decode()


def test_an_unknown_figure_is_not_there(client, dana):
    assert client.get("/admin/reports/horoscope/rows/").status_code == 404


def test_only_reading_is_possible(client, dana):
    assert client.post(OVERVIEW).status_code == 405


def test_a_warm_page_asks_little_of_the_database(client, dana, django_assert_max_num_queries):
    upgraded_today()
    client.get(OVERVIEW)
    with django_assert_max_num_queries(12):
        assert client.get(OVERVIEW).status_code == 200
