"""The report of a week by mail: the figures of the first page, as the page shows them, with their links."""

from datetime import date, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils.translation import override

from apps.accounts import letters
from apps.accounts.models import User
from apps.core import guards
from apps.reporting import days, pages
from apps.reporting.days import ONE_DAY, Period
from apps.reporting.models import WeeklyReader
from apps.reporting.scope import Scope
from apps.reporting.sheets.overview import OVERVIEW

VIEW = "reporting.view_reports"
FROM_HOUR = 6  # on Monday, in the reports' zone: by then the last days are filled
WEEK = timedelta(days=7)
USEFUL_FOR = timedelta(days=3)


def is_read_by(person: User) -> bool:
    """Whether a person gets it."""
    return WeeklyReader.objects.filter(reader=person).exists()


def begin(person: User, *, now: datetime) -> None:
    """Send it to a person from next Monday on. An act; again changes nothing."""
    with transaction.atomic(durable=True):
        monday = _monday(days.day_of(now))
        WeeklyReader.objects.get_or_create(reader=person, defaults={"since": now, "last_week": monday - WEEK})


def end(person: User) -> None:
    """Send it no more. An act; again changes nothing."""
    with transaction.atomic(durable=True):
        WeeklyReader.objects.filter(reader=person).delete()


def send_due(*, reporting_currency: str, now: datetime) -> int:
    """Write last week's report to everybody who still waits for it; say to how many.

    Effect  an act per reader: who moves the week writes the letter, so that nobody gets it twice.
    Repeat  writes nothing more.
    """
    guards.outside_transaction()
    last_week = _last_week(now)
    if last_week is None:
        return 0
    waiting = WeeklyReader.objects.filter(last_week__lt=last_week.first, reader__is_active=True).select_related(
        "reader"
    )
    written = 0
    for row in waiting.order_by("pk"):
        if row.reader.is_staff and row.reader.has_perm(VIEW):
            scope = Scope(last_week, now, reporting_currency)
            written += _write(row.reader, scope)
    return written


def _write(reader: User, scope: Scope) -> int:
    language = reader.language or settings.LANGUAGE_CODE
    with override(language):
        page = pages.read_page(OVERVIEW, scope)
    week = scope.period.first
    with transaction.atomic(durable=True):
        due = Q(pk=reader.pk, last_week__lt=week)
        if not WeeklyReader.objects.filter(due).update(last_week=week):
            return 0
        letters.write(
            "reporting/mail/weekly",
            reader.email,
            {"page": page, "period": scope.period},
            language=language,
            useful_for=USEFUL_FOR,
            now=scope.now,
        )
    return 1


def _last_week(now: datetime) -> Period | None:
    """The week that ended last; None on a Monday before its report is ready."""
    local = now.astimezone(days.zone())
    monday = _monday(local.date())
    if local.date() == monday and local.hour < FROM_HOUR:
        return None
    return Period(monday - WEEK, monday - ONE_DAY)


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
