from datetime import UTC, date, datetime

import pytest

from apps.accounts.models import AuditEntry
from apps.core.errors import Invalid, Missing
from apps.reporting import annotations
from apps.reporting.days import Period
from apps.reporting.models import Annotation
from tests import build, cast

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
DAY = date(2026, 3, 1)
PAGE = "/admin/reports/usage/?days=7"


def test_what_is_written_stands_on_its_day_and_in_the_audit_log():
    dana = cast.dana()
    annotations.write(DAY, "  Prices   raised ", by=dana, now=NOW)
    annotations.write(date(2026, 4, 1), "Launch", by=dana, now=NOW)
    assert [note.text for note in annotations.list_in(Period(DAY, DAY))] == ["Prices raised"]
    entry = AuditEntry.objects.order_by("pk").first()
    assert (entry.action, entry.details) == ("annotation.write", {"day": "2026-03-01", "text": "Prices raised"})


@pytest.mark.parametrize("text", ["", "   ", "x" * 121])
def test_nothing_or_too_much_is_refused(text):
    with pytest.raises(Invalid):
        annotations.write(DAY, text, by=cast.dana(), now=NOW)
    assert not Annotation.objects.exists()


def test_what_is_gone_cannot_be_removed_again():
    dana = cast.dana()
    note = annotations.write(DAY, "Launch", by=dana, now=NOW)
    annotations.remove(note.pk, by=dana, now=NOW)
    with pytest.raises(Missing):
        annotations.remove(note.pk, by=dana, now=NOW)
    assert AuditEntry.objects.filter(action="annotation.remove").count() == 1


def test_is_written_and_removed_on_the_page(client):
    client.force_login(cast.dana())
    sent = client.post("/admin/reports/notes/write/", {"day": "2026-03-01", "text": "Launch", "back": PAGE})
    assert (sent.status_code, sent["Location"]) == (302, PAGE)
    page = client.get("/admin/reports/usage/?from=2026-02-20&to=2026-03-05").content.decode()
    assert 'data-day="2026-03-01"' in page
    assert "Launch" in page
    client.post(f"/admin/reports/notes/{Annotation.objects.get().pk}/remove/", {"back": PAGE})
    assert not Annotation.objects.exists()


def test_the_way_back_never_leads_to_another_site(client):
    client.force_login(cast.dana())
    sent = client.post("/admin/reports/notes/write/", {"text": "x", "back": "https://elsewhere.example/admin/reports/"})
    assert sent["Location"] == "/admin/reports/"


def test_who_is_not_of_the_right_role_writes_nothing(client):
    helper = build.person(email="support@example.org", is_staff=True, role="support")
    for person in (cast.mallory(), helper):
        client.force_login(person)
        assert client.post("/admin/reports/notes/write/", {"text": "x"}).status_code == 403
    assert not Annotation.objects.exists()
