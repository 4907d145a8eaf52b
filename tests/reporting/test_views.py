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
from apps.reporting.files import FILES
from apps.reporting.metrics.base import DerivedMetric
from apps.reporting.metrics.families import FAMILIES, METRICS
from apps.reporting.metrics.movements import MovedMetric
from apps.reporting.models import MetricDay
from apps.reporting.sheets.register import SHEETS
from tests import build, cast
from tests.reporting import history

pytestmark = pytest.mark.django_db
OVERVIEW = "/admin/reports/"
SHEET_PAGES = [f"/admin/reports/{slug}/" for slug in SHEETS]
PAGES = [
    OVERVIEW,
    *SHEET_PAGES,
    *[f"{page}by-day.csv" for page in SHEET_PAGES],
    "/admin/reports/mrr/rows/",
    "/admin/reports/mrr/rows.csv",
    "/admin/reports/days.csv",
    *[f"/admin/reports/files/{slug}.csv" for slug in FILES],
]


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


def cells(page, table):
    """A table's lines as their texts."""
    found = re.search(rf'data-table="{table}".*?<tbody>(.*?)</tbody>', page, re.S).group(1)
    lines = re.findall(r"<tr>(.*?)</tr>", found, re.S)
    return [[re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r"<t[hd][ >].*?</t[hd]>", line, re.S)]
            for line in lines]  # fmt: skip


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
    assert b"data-metric" not in response.content  # a token of the page may well hold “MRR”
    assert not AuditEntry.objects.exists()


def test_after_one_upgrade_it_shows_one_premium_subscription_and_eight_dollars(client, dana):
    upgraded_today()
    page = client.get(OVERVIEW).content.decode()
    assert number(page, "mrr", "usd") == "USD 8.00"
    assert number(page, "subscriptions") == "1"
    assert cells(page, "by-plan") == [["Premium", "1", "+1", "1", "8.00"]]
    assert (number(page, "paying_customers"), number(page, "free_accounts")) == ("1", "1")
    assert number(page, "messages") == "2"
    assert number(client.get("/admin/reports/usage/").content.decode(), "input_tokens") == "1,300"
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


@pytest.mark.parametrize("slug", sorted(SHEETS))
def test_every_figure_of_a_page_has_a_card_a_formula_and_a_chart(client, dana, slug):
    upgraded_today()
    page = client.get(f"/admin/reports/{slug}/").content.decode()
    assert list(dict.fromkeys(re.findall(r'data-metric="(\w+)"', page))) == list(SHEETS[slug].cards)
    charts = [json.loads(text) for text in re.findall(r'<script id="chart-[^>]*>(.*?)</script>', page)]
    assert len(charts) >= len(SHEETS[slug].cards)
    assert all(len(chart["days"]) == len(chart["series"][0]["values"]) for chart in charts)
    assert len(re.findall(r'<article class="card".*?<summary aria-label="What', page, re.S)) == len(SHEETS[slug].cards)


def test_a_chart_is_a_line_for_what_stands_and_bars_for_what_flows(client, dana):
    upgraded_today()
    page = client.get(OVERVIEW).content.decode()
    charts = [json.loads(text) for text in re.findall(r'<script id="chart-[^>]*>(.*?)</script>', page)]
    by_title = {chart["title"]: chart for chart in charts}
    assert (by_title["MRR"]["unit"], by_title["MRR"]["kind"]) == ("usd", "line")
    assert by_title["MRR"]["series"][0]["values"] == [0.0] * 29 + [8.0]
    assert by_title["Messages"]["kind"] == "bar"
    assert by_title["Gross margin"]["unit"] == "percent"


def test_every_metric_is_on_some_page():
    assert {slug for sheet in SHEETS.values() for slug in sheet.cards} == set(METRICS)


def test_says_what_is_wrong_and_what_is_left_out(client, dana):
    now = clock.now()
    DriftItem.objects.create(kind="status", severity="high", first_seen=now, last_seen=now)
    DriftItem.objects.create(kind="price", severity="low", first_seen=now, last_seen=now, fixed_at=now)
    StripeEvent.objects.create(id="evt_1", type="invoice.paid", livemode=False, created=now, received_at=now)
    build.account(owner=dana, created_at=now)
    page = client.get(OVERVIEW).content.decode()
    strip = dict(re.findall(r'data-health="([\w-]+)">(\d+)', page))
    assert strip == {"drift": "1", "events": "1", "dirty": "0", "left-out": "1"}


@pytest.mark.parametrize("slug", sorted(SHEETS))
def test_every_figure_of_a_page_opens_its_rows(client, dana, slug):
    upgraded_today()
    page = client.get(f"/admin/reports/{slug}/").content.decode()
    links = {link.replace("&amp;", "&") for link in re.findall(r'href="(/admin/reports/[^"]+/rows/[^"]*)"', page)}
    assert {link.split("/")[3] for link in links} >= set(SHEETS[slug].cards)
    today = str(days.day_of(clock.now()))
    for link in sorted(links):
        if today in link:
            assert client.get(link).status_code == 200, link


def test_a_page_narrowed_to_one_plan_shows_that_plan_and_says_what_it_cannot(client, dana):
    upgraded_today()
    build.stripe_subscription(account=build.account(created_at=clock.now()), plan="premium_plus", mrr_micro=40_000_000)
    page = client.get("/admin/reports/revenue/?days=7&plan=premium&age=new").content.decode()
    assert (number(page, "mrr", "usd"), number(page, "subscriptions")) == ("USD 8.00", "1")
    assert 'value="premium" selected' in page
    assert "left out: Recognised revenue" in page
    assert "plan=premium" in re.search(r'class="csv" href="([^"]+)"', page).group(1)


def test_a_period_is_compared_with_the_one_before_or_with_the_year_before(client, dana):
    now = clock.now()
    ben = build.account(owner=cast.ben(), created_at=now - timedelta(days=400))
    for days_ago, count in ((1, 3), (10, 2), (365, 1)):
        for _ in range(count):
            build.answer(account=ben, at=now - timedelta(days=days_ago))
        for family in FAMILIES.values():  # the other days have nothing to tell, and are four hundred
            fill.fill_day(family, days.day_of(now - timedelta(days=days_ago)), now=now)
    asked = f"/admin/reports/usage/?from={days.day_of(now) - timedelta(days=6)}&to={days.day_of(now)}"
    assert "+1 (+50.0 %) against the 7 days before" in client.get(asked).content.decode()
    assert "+2 (+200.0 %) against a year earlier" in client.get(f"{asked}&compare=year").content.decode()


def test_a_split_names_each_value_and_its_file_says_the_same(client, dana):
    upgraded_today()
    page = client.get("/admin/reports/revenue/").content.decode()
    assert cells(page, "by-interval") == [["monthly", "8.00", "+8.00", "1", "1", "8.00"]]
    rows = read_file(client, "/admin/reports/revenue/by-interval.csv")
    assert rows == [
        {
            "interval": "monthly", "mrr_usd": "8.000000", "mrr_usd_change": "8.000000", "subscriptions": "1",
            "paying_customers": "1", "arpa_usd": "8.000000",
        }
    ]  # fmt: skip


DERIVED = {
    "margin": {"recognised_revenue": "0.250000", "model_cost": "2.000005", "margin": "-1.750005"},
    "margin_ratio": {"margin_ratio": "-7.000020"},
    "arr": {"mrr": "8.000000", "arr": "96.000000"},
    "arpa": {"mrr": "8.000000", "paying_customers": "1", "arpa": "8.000000"},
}


def test_two_currencies_stand_side_by_side_each_with_its_own(client, dana):
    upgraded_today()
    eva = build.account(owner=build.person(email="eva@example.org"), created_at=clock.now())
    build.stripe_subscription(account=eva, at=clock.now(), currency="eur", mrr_micro=33_000_000, plan="premium_plus")
    page = client.get("/admin/reports/revenue/").content.decode()
    assert cells(page, "by-plan") == [
        ["Premium", "8.00", "+8.00", "0.00", "1", "1", "8.00", "–"],
        ["Premium+", "0.00", "0.00", "33.00", "1", "1", "–", "33.00"],
    ]
    bridge = {line[0]: line[1:] for line in cells(page, "bridge")}
    assert (bridge["New"], bridge["At the end"]) == (["8.00", "33.00"], ["8.00", "33.00"])
    assert "Not explained: days are still computed" not in bridge


COLUMNS = {"payment_fees": "amount",
           "model_cost": "cost_micro", "free_model_cost": "cost_micro", "usage_revenue": "price_micro",
           "api_revenue": "earned", "recognised_revenue": "recognised"}  # fmt: skip


@pytest.mark.parametrize("slug", sorted(METRICS))
def test_a_file_adds_up_to_its_figure(client, dana, slug):
    upgraded_today()
    client.get(OVERVIEW)
    rows = read_file(client, f"/admin/reports/{slug}/rows.csv?day={days.day_of(clock.now())}")
    metric = METRICS[slug]
    if isinstance(metric, DerivedMetric):
        known = DERIVED.get(slug, {})
        assert [{name: row[name] for name in known} for row in rows if known] == ([known] if known else [])
        assert all({slug, *(part.slug for part in metric.parts)} <= row.keys() for row in rows)
        return
    expected = sum(MetricDay.objects.filter(metric=slug).values_list("value", flat=True))
    if metric.unit.is_money:
        column = COLUMNS.get(slug, slug)
        column = "delta" if isinstance(metric, MovedMetric) else column
        assert abs(sum(Decimal(row[column]) for row in rows)) * 10**6 == expected
    elif slug in ("messages", "input_tokens", "output_tokens"):
        assert sum(int(row[slug]) for row in rows) == expected
    else:
        assert len(rows) == expected + (slug == "staff_acts")  # taking the file away is one more


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
        "/admin/reports/?from=2026-03-02&to=2026-03-01",
        "/admin/reports/usage/?from=soon",
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
