"""Visitors of the public pages: counted once a day, and nobody of them kept."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import DatabaseError
from redis.exceptions import ConnectionError as AwayError

from apps.accounts import visits
from apps.accounts.models import VisitDay
from apps.core import clock
from tests import cast

pytestmark = pytest.mark.django_db
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
SAFARI = "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_0) AppleWebKit/605.1.15 Version/18.0 Safari/605.1.15"


@pytest.fixture(autouse=True)
def fresh(settings):
    """Visits of other tests of this day are forgotten."""
    settings.CACHES["default"]["KEY_PREFIX"] = "cache"
    cache.clear()


def come(client, path="/", *, agent=FIREFOX, **headers):
    response = client.get(path, headers={"User-Agent": agent, **headers})
    assert response.status_code == 200
    return response


def counted():
    return {(row.page, row.source): row.visits for row in VisitDay.objects.all()}


def test_a_visitor_counts_once_a_day_and_page(client):
    for path in ("/", "/", "/pricing/", "/"):
        come(client, path)
    come(client, agent=SAFARI)
    assert counted() == {("home", "direct"): 2, ("pricing", "direct"): 1}


def test_the_next_day_is_another(client, monkeypatch):
    come(client)
    tomorrow = clock.now() + timedelta(days=1)
    monkeypatch.setattr(clock, "now", lambda: tomorrow)
    come(client)
    assert sorted(VisitDay.objects.values_list("visits", flat=True)) == [1, 1]


def test_two_networks_are_two_visitors(client):
    for address in ("93.184.216.34", "93.184.216.99", "151.101.1.69"):
        client.get("/", headers={"User-Agent": FIREFOX}, REMOTE_ADDR=address)
    assert counted() == {("home", "direct"): 2}


@pytest.mark.parametrize(
    ("path", "referer", "source"),
    [
        ("/", "", "direct"),
        ("/", "http://testserver/pricing/", "direct"),
        ("/", "https://www.news.example/story?id=1", "news.example"),
        ("/?utm_source=Letter", "https://news.example/", "letter"),
        ("/?utm_source=<script>", "", "other"),
        ("/", "http://[broken", "direct"),
    ],
)
def test_where_they_came_from_is_a_host_or_what_the_link_says(client, path, referer, source):
    come(client, path, Referer=referer)
    assert counted() == {("home", source): 1}


@pytest.mark.parametrize(
    "headers",
    [
        {"agent": "Googlebot/2.1"},
        {"agent": "curl/8.5"},
        {"agent": ""},
        {"DNT": "1"},
        {"Sec-GPC": "1"},
        {"Sec-Purpose": "prefetch;prerender"},
    ],
)
def test_machines_early_fetches_and_who_asks_not_to_be_followed_are_not_counted(client, headers):
    come(client, **headers)
    assert counted() == {}


def test_neither_heads_nor_who_is_signed_in(client):
    client.head("/", headers={"User-Agent": FIREFOX})
    client.force_login(cast.ana())
    come(client)
    assert counted() == {}


def test_nothing_of_a_visitor_reaches_postgres_nor_their_browser(client):
    response = client.get("/", headers={"User-Agent": FIREFOX}, REMOTE_ADDR="93.184.216.34")
    [row] = VisitDay.objects.values()
    assert set(row) == {"id", "day", "page", "source", "visits", "changed_at"}
    assert not response.cookies.keys() - {"csrftoken"}


def test_new_sources_of_a_day_come_to_an_end(client, monkeypatch):
    monkeypatch.setattr(visits, "MOST_SOURCES", 2)
    for number in range(4):
        come(client, f"/?utm_source=s{number}", agent=f"{FIREFOX} {number}")
    assert counted() == {("home", "s0"): 1, ("home", "s1"): 1, ("home", "other"): 2}


@pytest.mark.parametrize("error", [AwayError, DatabaseError])
def test_a_page_is_shown_where_nothing_can_be_counted(client, monkeypatch, error):
    def away(*_arguments, **_named):
        raise error

    monkeypatch.setattr(visits, "_is_new", away)
    come(client)
    assert counted() == {}
