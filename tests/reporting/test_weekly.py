from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection

from apps.accounts.models import Letter, User
from apps.reporting import fill, pages, weekly
from apps.reporting.days import Period
from apps.reporting.models import WeeklyReader
from apps.reporting.scope import Scope
from apps.reporting.sheets.overview import OVERVIEW
from tests import build, cast
from tests.reporting import history

SUNDAY = datetime(2026, 3, 1, 18, 0, tzinfo=UTC)
MONDAY = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)
WEEK = Period(date(2026, 2, 23), date(2026, 3, 1))


def send(now=MONDAY):
    return weekly.send_due(reporting_currency="usd", now=now)


@pytest.fixture
def dana(db):
    """Staff, who asked for it on Sunday."""
    history.small_business()
    fill.fill_dirty_days(now=MONDAY, at_most=40)
    person = User.objects.get(email="dana@example.org")
    weekly.begin(person, now=SUNDAY)
    return person


def test_on_monday_it_says_what_the_page_says(dana):
    assert send() == 1
    letter = Letter.objects.get()
    assert letter.to == dana.email
    page = pages.read_page(OVERVIEW, Scope(WEEK, MONDAY, "usd"))
    assert page.lead in letter.text
    for card in page.cards:
        assert f"{card.figure.metric.title}: {card.value} ({card.change})" in letter.text
        assert card.opens in letter.text
    assert "MRR: USD 8.00 (+USD 8.00)" in letter.text


def test_is_in_the_language_of_who_reads_it(dana):
    User.objects.filter(pk=dana.pk).update(language="fr")
    send()
    letter = Letter.objects.get()
    assert letter.subject.startswith("La semaine du 23 février 2026")
    assert "Comptes payants" in letter.text


@pytest.mark.parametrize(
    ("now", "written"),
    [
        (SUNDAY, 0),
        (MONDAY - timedelta(hours=2), 0),
        (MONDAY, 1),
        (MONDAY + timedelta(days=2), 1),
        (MONDAY + timedelta(days=9), 1),
    ],
)
def test_is_written_once_the_week_is_over_and_its_days_are_filled(dana, now, written):
    assert send(now) == written


def test_nobody_gets_a_week_twice(dana):
    assert (send(), send(), send(MONDAY + timedelta(days=7))) == (1, 0, 1)


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_write_one():
    person = cast.dana()
    weekly.begin(person, now=SUNDAY)

    def work(_number):
        try:
            return send()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(work, range(4))) == 1
    assert Letter.objects.count() == 1


@pytest.mark.parametrize("change", [{"is_staff": False}, {"role": "support"}, {"is_active": False}])
def test_who_may_not_read_it_any_more_gets_none(dana, change):
    User.objects.filter(pk=dana.pk).update(**{"is_superuser": False, **change})
    assert send() == 0
    assert not Letter.objects.exists()


def test_is_begun_and_ended_on_the_page(client, db):
    client.force_login(build.person(email="fin@example.org", is_staff=True, role="finance"))
    client.post("/admin/reports/weekly/", {"wanted": "yes"})
    assert WeeklyReader.objects.count() == 1
    assert "End the weekly report" in client.get("/admin/reports/").content.decode()
    client.post("/admin/reports/weekly/", {"wanted": "no"})
    assert not WeeklyReader.objects.exists()
