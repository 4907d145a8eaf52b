from datetime import UTC, datetime

import pytest
from allauth.account.models import EmailAddress
from django.db import transaction

from apps.accounts import audit, consent, letters
from apps.accounts.models import AuditEntry, Consent, Letter, User
from apps.accounts.personal_data import PersonalData
from tests import build, cast

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def ana():
    ana = cast.ana()
    EmailAddress.objects.create(user=ana, email=ana.email, verified=True, primary=True)
    with transaction.atomic():
        consent.record(ana, Consent.Kind.TERMS, given=True, version="2026-11", now=NOW)
        letters.want("login_code", ana.email, "Your code: X", "X", language="en", now=NOW)
    audit.record(None, "account.check", subject=ana, reason="wrote as Ana", now=NOW)
    return ana


def test_the_export_holds_the_profile_the_answers_and_what_staff_did(ana):
    files = dict(PersonalData().export(ana))
    names = ["profile.json", "consents.json", "staff.json", "notes_of_staff.json", "mails.json", "sign_ins.json"]
    assert list(files) == names
    assert files["profile.json"]["email"] == "ana@example.org"
    assert files["profile.json"]["addresses"] == [{"email": "ana@example.org", "is_verified": True}]
    assert [(row["kind"], row["is_given"]) for row in files["consents.json"]] == [("terms", True)]
    assert [row["action"] for row in files["staff.json"]] == ["account.check"]
    assert [(row["kind"], row["to"]) for row in files["mails.json"]] == [("login_code", "ana@example.org")]
    assert ana.password not in str(files)


def test_afterwards_nothing_names_the_person(ana, client):
    assert PersonalData().erase(ana, now=NOW) == 5
    row = User.objects.get(pk=ana.pk)
    assert (row.email, row.name, row.is_active) == (f"left-{ana.pk}@invalid", "", False)
    assert not row.has_usable_password()
    assert (EmailAddress.objects.count(), Consent.objects.count(), Letter.objects.count()) == (0, 0, 0)
    assert AuditEntry.objects.get().reason == ""
    assert not client.login(email="ana@example.org", password=build.PASSWORD)


def test_a_second_time_removes_nothing_more(ana):
    PersonalData().erase(ana, now=NOW)
    assert PersonalData().erase(ana, now=NOW) == 1


def test_others_stay_untouched(ana):
    mallory = cast.mallory()
    PersonalData().erase(ana, now=NOW)
    mallory.refresh_from_db()
    assert (mallory.email, mallory.is_active) == ("mallory@example.org", True)
    assert "ana@example.org" not in str(dict(PersonalData().export(mallory)))
