from datetime import UTC, datetime

import pytest

from apps.accounts import audit
from apps.accounts.models import AuditEntry
from tests import cast

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def test_an_entry_says_who_what_whom_why_and_when():
    ana, dana = cast.ana(), cast.dana()
    audit.record(dana, "account.close", subject=ana, reason="asked by mail", details={"ticket": 7}, now=NOW)
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.subject, entry.action) == (dana, ana, "account.close")
    assert (entry.reason, entry.details, entry.happened_at) == ("asked by mail", {"ticket": 7}, NOW)


def test_the_system_acts_without_a_name():
    audit.record(None, "ledger.repair", now=NOW)
    assert AuditEntry.objects.get().actor is None


def test_staff_changes_are_kept_and_hashes_stay_hidden(client):
    ana, dana = cast.ana(), cast.dana()
    client.force_login(dana)
    address = f"/admin/accounts/user/{ana.pk}/change/"
    page = client.get(address).content.decode()
    assert "ana@example.org" in page
    assert ana.password not in page
    assert "md5" not in page.lower()
    form = {"name": "Ana", "language": "", "theme": "system", "time_zone": "UTC", "country": "US", "is_active": "on"}
    assert client.post(address, form).status_code == 302
    ana.refresh_from_db()
    assert ana.country == "US"
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.subject, entry.details) == (dana, ana, {"fields": ["country"]})


@pytest.mark.parametrize("model", ["consent", "auditentry"])
@pytest.mark.parametrize("action", ["add/", "{}/delete/"])
def test_staff_cannot_write_history(client, model, action):
    dana = cast.dana()
    entry = audit.record(dana, "account.close", now=NOW)
    client.force_login(dana)
    answer = client.post(f"/admin/accounts/{model}/{action.format(entry.pk)}", {"action": "x", "post": "yes"})
    assert answer.status_code == 403
    assert AuditEntry.objects.count() == 1


@pytest.mark.parametrize("who", [cast.mallory, None])
@pytest.mark.parametrize("model", ["user", "consent", "auditentry"])
def test_others_see_no_admin(client, who, model):
    if who:
        client.force_login(who())
    answer = client.get(f"/admin/accounts/{model}/")
    assert (answer.status_code, answer.url.partition("?")[0]) == (302, "/admin/login/")
