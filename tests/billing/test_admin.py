"""What staff see and do in the admin."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from apps.accounts.models import AuditEntry
from apps.billing import entitlements, grants
from apps.billing.grants import Span
from apps.billing.models import EntitlementSnapshot, PlanGrant, PlanVersion
from tests import build, cast
from tests.build import NOW

pytestmark = pytest.mark.django_db
GIVE = "/admin/billing/plangrant/add/"
LIST = "/admin/billing/plangrant/"
WORDS = {"email": "Ana@example.org", "plan": "premium", "reason": "an outage"}


def at(person):
    client = Client()
    client.force_login(person)
    return client


def helper(*codes):
    """Staff with a few rights."""
    person = build.person(email="helper@example.org", is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename__in=codes))
    return person


def test_staff_read_plan_versions_and_snapshots_and_change_none(account):
    snapshot = build.subscription(account=account)
    dana = at(cast.dana())
    for table, row in (("planversion", PlanVersion.objects.get()), ("entitlementsnapshot", snapshot)):
        address = f"/admin/billing/{table}/{row.pk}/change/"
        assert dana.get(f"/admin/billing/{table}/").status_code == 200
        page = dana.get(address)
        assert page.status_code == 200
        assert 'name="_save"' not in page.content.decode()
        assert dana.post(address, {"version": 9}).status_code == 403
        assert dana.get(f"/admin/billing/{table}/add/").status_code == 403
        assert dana.post(f"/admin/billing/{table}/{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert (PlanVersion.objects.count(), EntitlementSnapshot.objects.get().version) == (1, 1)


def test_who_may_gives_a_plan(account):
    staff = helper("add_plangrant", "view_plangrant")
    answer = at(staff).post(GIVE, WORDS)
    assert (answer.status_code, answer.headers["Location"]) == (302, LIST)
    grant = PlanGrant.objects.get()
    assert (grant.account, grant.plan_id, grant.granted_by, grant.ends_at) == (account, "premium", staff, None)
    assert EntitlementSnapshot.objects.get().source == "manual"
    assert AuditEntry.objects.get().actor == staff


def test_the_form_is_shown_and_says_what_is_wrong(account):
    dana = at(cast.dana())
    assert "Give this plan" in dana.get(GIVE).content.decode()
    page = dana.post(GIVE, {**WORDS, "email": "nobody@example.org"}).content.decode()
    assert "Nobody has this address." in page
    page = dana.post(GIVE, {**WORDS, "ends_at_0": "2020-01-01", "ends_at_1": "00:00:00"}).content.decode()
    assert "A grant ends after it begins, and not in the past." in page
    page = dana.post(GIVE, {**WORDS, "plan": "guest"}).content.decode()
    assert "Select a valid choice" in page
    assert not PlanGrant.objects.exists()


def test_others_give_nothing(account):
    assert at(helper("view_plangrant")).post(GIVE, WORDS).status_code == 403
    assert at(cast.mallory()).post(GIVE, WORDS).status_code == 302  # to the admin's sign-in
    assert Client().post(GIVE, WORDS).status_code == 302
    assert not PlanGrant.objects.exists()
    assert not AuditEntry.objects.exists()


def take_back(person, grant, reason):
    fields = {"action": "revoke", "_selected_action": [str(grant.pk)], "reason": reason}
    return at(person).post(LIST, fields, follow=True)


def test_who_may_takes_a_plan_back_with_a_reason(account):
    grant = grants.give(account, "premium", Span(NOW), reason="an outage", by=None, now=NOW)
    staff = helper("view_plangrant", "change_plangrant")
    assert "Please say why" in take_back(staff, grant, "").content.decode()
    assert PlanGrant.objects.get().revoked_at is None
    assert "1 taken back." in take_back(staff, grant, "a mistake").content.decode()
    assert entitlements.plan_for(account, now=PlanGrant.objects.get().revoked_at).key == "free"
    assert AuditEntry.objects.latest("pk").actor == staff


def test_who_only_looks_takes_nothing_back(account):
    grant = grants.give(account, "premium", Span(NOW), reason="an outage", by=None, now=NOW)
    take_back(helper("view_plangrant"), grant, "a mistake")
    take_back(cast.mallory(), grant, "a mistake")
    assert PlanGrant.objects.get().revoked_at is None
    assert AuditEntry.objects.count() == 1
