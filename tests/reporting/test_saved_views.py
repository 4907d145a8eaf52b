from datetime import UTC, datetime

import pytest

from apps.core.errors import Conflict, Invalid
from apps.reporting import saved_views
from apps.reporting.models import SavedView
from apps.reporting.sheets.register import get_sheet
from tests import build, cast

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
USAGE = get_sheet("usage")


def test_keeps_what_the_page_knows_and_drops_the_rest():
    view = saved_views.keep(cast.dana(), " Premium  chat ", USAGE, "days=90&plan=premium&evil=1&country=FR", now=NOW)
    assert (view.name, view.page, view.query) == ("Premium chat", "usage", "days=90&plan=premium")


def test_the_same_name_takes_the_place_of_the_old_one():
    dana = cast.dana()
    saved_views.keep(dana, "Mine", USAGE, "days=7", now=NOW)
    saved_views.keep(dana, "Mine", get_sheet("revenue"), "days=90", now=NOW)
    assert [(view.page, view.query) for view in saved_views.list_of(dana)] == [("revenue", "days=90")]


@pytest.mark.parametrize("name", ["", " ", "x" * 61])
def test_a_view_without_a_name_is_refused(name):
    with pytest.raises(Invalid):
        saved_views.keep(cast.dana(), name, USAGE, "", now=NOW)


def test_fifty_are_enough(monkeypatch):
    monkeypatch.setattr(saved_views, "MOST", 2)
    dana = cast.dana()
    for name in ("a", "b", "a"):
        saved_views.keep(dana, name, USAGE, "", now=NOW)
    with pytest.raises(Conflict):
        saved_views.keep(dana, "c", USAGE, "", now=NOW)


def test_on_the_page_it_is_saved_opened_and_removed(client):
    client.force_login(cast.dana())
    sent = {"name": "Mine", "query": "days=7&plan=premium", "back": "/admin/reports/usage/"}
    assert client.post("/admin/reports/views/usage/save/", sent).status_code == 302
    page = client.get("/admin/reports/").content.decode()
    assert 'href="/admin/reports/usage/?days=7&amp;plan=premium">Mine</a>' in page
    client.post(f"/admin/reports/views/{SavedView.objects.get().pk}/remove/")
    assert not SavedView.objects.exists()


def test_nobody_sees_or_removes_the_views_of_another(client):
    view = saved_views.keep(cast.dana(), "Mine", USAGE, "", now=NOW)
    client.force_login(build.person(email="other@example.org", is_staff=True, role="finance"))
    assert ">Mine</a>" not in client.get("/admin/reports/").content.decode()
    client.post(f"/admin/reports/views/{view.pk}/remove/")
    assert SavedView.objects.exists()
