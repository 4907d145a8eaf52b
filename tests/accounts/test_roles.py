"""What each role of staff may: one table, kept at every address of the admin; roles are given with a reason."""

import pytest
from django.contrib import admin
from django.contrib.auth import get_permission_codename
from django.urls import reverse

from apps.accounts import roles
from apps.accounts.models import AuditEntry, User
from apps.core.errors import Conflict, Invalid
from tests import build, cast
from tests.build import NOW

pytestmark = pytest.mark.django_db
WHY = "Joined the team."
# What each role sees of the admin, room by room; what is not here is closed.
ROOMS = {
    "": set(),
    "support": {"usage", "developer", "privacy", "chat"},
    "finance": {"billing", "usage", "reporting"},
}


def member(role, email="member@example.org"):
    return build.person(email=email, is_staff=True, role=role)


@pytest.mark.parametrize("role", ROOMS)
def test_every_list_of_the_admin_opens_as_the_table_says(client, role):
    client.force_login(member(role))
    opened = set()
    for table in admin.site._registry:
        label, name = table._meta.app_label, table._meta.model_name
        answer = client.get(reverse(f"admin:{label}_{name}_changelist"), follow=True)
        assert answer.status_code in (200, 403), (label, name)
        if answer.status_code == 200:
            opened.add(label)
    assert opened == ROOMS[role]


@pytest.mark.parametrize(("role", "status"), [("", 403), ("support", 403), ("finance", 200)])
def test_the_reports_are_for_finance(client, role, status):
    client.force_login(member(role))
    assert client.get("/admin/reports/").status_code == status


@pytest.mark.parametrize("role", ["", "support"])
def test_support_changes_nothing_about_money(role):
    person = member(role)
    for table in admin.site._registry:
        for verb in ("add", "change", "delete"):
            codename = f"{table._meta.app_label}.{get_permission_codename(verb, table._meta)}"
            assert person.has_perm(codename) is False, codename


def test_a_role_without_being_staff_may_nothing():
    assert build.person(role="finance").has_perm("billing.view_billingaccount") is False
    assert (
        build.person(email="a@example.org", role="finance", is_staff=True, is_active=False).has_perm(
            "billing.view_billingaccount"
        )
        is False
    )


@pytest.mark.parametrize("role", ["support", "finance", "admin"])
def test_an_administrator_gives_a_role_with_a_reason(role):
    ben, dana = cast.ben(), cast.dana()
    roles.give(ben, role, reason=WHY, by=dana, now=NOW)
    ben.refresh_from_db()
    assert (ben.role, ben.is_staff, ben.is_superuser) == (role, True, role == "admin")
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.subject, entry.reason, entry.details) == ("account.role", ben, WHY, {"role": role})
    roles.give(ben, "", reason="Left.", by=dana, now=NOW)
    ben.refresh_from_db()
    assert (ben.role, ben.is_staff, ben.is_superuser) == ("", False, False)


@pytest.mark.parametrize(("role", "reason"), [("king", WHY), ("support", " ")])
def test_what_makes_no_sense_gives_nothing(role, reason):
    ben = cast.ben()
    with pytest.raises(Invalid):
        roles.give(ben, role, reason=reason, by=cast.dana(), now=NOW)
    ben.refresh_from_db()
    assert ben.is_staff is False


def test_nobody_changes_their_own_role():
    dana = cast.dana()
    with pytest.raises(Conflict):
        roles.give(dana, "support", reason=WHY, by=dana, now=NOW)
    assert User.objects.get(pk=dana.pk).is_superuser is True


def test_the_last_administrator_stays():
    dana = cast.dana()
    gone = build.person(email="gone@example.org", is_staff=True, is_superuser=True, is_active=False, role="admin")
    with pytest.raises(Conflict):
        roles.give(dana, "", reason=WHY, by=gone, now=NOW)
    assert User.objects.get(pk=dana.pk).is_superuser is True


@pytest.mark.parametrize("role", ["support", "finance"])
def test_others_give_no_roles_on_the_page_nor_in_the_admin(client, role):
    ben = cast.ben()
    client.force_login(member(role))
    client.post("/accounts/reauthenticate/", {"password": build.PASSWORD})
    assert client.post(f"/admin/customers/{ben.pk}/role/", {"role": "admin", "reason": WHY}).status_code == 403
    assert client.post(f"/admin/accounts/user/{ben.pk}/change/", {"is_superuser": "on"}).status_code == 403
    ben.refresh_from_db()
    assert ben.is_staff is False


def test_an_administrator_gives_one_on_the_page(client):
    ben = cast.ben()
    client.force_login(cast.dana())
    client.post("/accounts/reauthenticate/", {"password": build.PASSWORD})
    client.post(f"/admin/customers/{ben.pk}/role/", {"role": "support", "reason": WHY})
    ben.refresh_from_db()
    assert (ben.role, ben.is_staff) == ("support", True)


def test_rights_are_not_changed_on_the_persons_own_page_of_the_admin(client):
    ben = cast.ben()
    client.force_login(cast.dana())
    client.post(f"/admin/accounts/user/{ben.pk}/change/", {"is_superuser": "on", "is_staff": "on", "role": "admin"})
    ben.refresh_from_db()
    assert (ben.is_superuser, ben.is_staff, ben.role) == (False, False, "")
