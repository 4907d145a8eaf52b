"""Looking at a person's pages: on a short list, for reading, for half an hour, written down; nothing of the chat."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import AuditEntry
from apps.chat.models import Conversation
from apps.core import clock
from apps.core.errors import Conflict, Invalid
from apps.staff import impersonation
from apps.staff.views import SESSION_KEY
from tests import build, cast
from tests.build import NOW, PASSWORD
from tests.house.test_urls import ALL

pytestmark = pytest.mark.django_db
WHY = "She asked why her plan changed."
PROFILE = "/settings/profile/"


@pytest.fixture
def ana():
    return cast.ana()


@pytest.fixture
def helper():
    return build.person(email="helper@example.org", name="Helga", is_staff=True, role="support")


@pytest.fixture
def looking(client, helper, ana):
    """Signed in as support, proven, and looking at Ana's pages."""
    client.force_login(helper)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    before = client.session.session_key
    answer = client.post(f"/admin/customers/{ana.pk}/look/", {"reason": WHY})
    assert answer.url == "/settings/plan/"
    assert client.session.session_key != before
    return client


def test_the_pages_are_those_of_the_person_and_say_so(looking, ana):
    page = looking.get(PROFILE).content.decode()
    assert "<strong>ana@example.org</strong>" in page
    assert "You see the pages of" in page
    assert 'value="Ana"' in page


def test_it_is_written_down_and_shown_to_the_person(looking, helper, ana):
    looking.get(PROFILE)
    looking.post("/admin/customers/look/end/")
    entries = AuditEntry.objects.filter(subject=ana).order_by("happened_at", "id")
    assert [(entry.action, entry.actor) for entry in entries] == [
        ("customer.look", helper),
        ("customer.page", helper),
        ("customer.look_end", helper),
    ]
    assert entries[1].details == {"page": PROFILE}
    own = Client()
    own.force_login(ana)
    page = own.get("/settings/data/").content.decode()
    assert WHY in page
    assert "Helga" not in page


@pytest.mark.parametrize("name", sorted(impersonation.PAGES))
def test_every_page_on_the_list_opens_and_takes_nothing(looking, name):
    address = reverse(name)
    assert looking.get(address).status_code == 200
    assert looking.post(address, {"name": "Mallory"}).status_code == 403


def test_no_other_page_opens_and_nothing_is_changed(looking, ana):
    open_pages = {reverse(name) for name in impersonation.PAGES}
    still = {"/healthz", "/readyz", "/i18n/setlang/", "/accounts/logout/", "/password-strength/"}
    told = {}
    for address in ALL.values():
        if (
            address in open_pages | still
            or address.startswith(("/admin/", "/_mail", "/v1/"))
            or address.endswith("/events")
        ):
            continue
        for method in (looking.get, looking.post, looking.delete):
            told[address] = told.get(address, set()) | {method(address).status_code}
    assert {address: codes for address, codes in told.items() if codes - {403, 404, 401}} == {}
    assert "/chat/" in told
    ana.refresh_from_db()
    assert ana.name == "Ana"
    assert not Conversation.objects.exists()


def test_when_it_ends_the_pages_are_ones_own_again(looking):
    looking.post("/admin/customers/look/end/")
    assert "<strong>helper@example.org</strong>" in looking.get(PROFILE).content.decode()


def test_after_half_an_hour_it_is_over(looking):
    session = looking.session
    session[SESSION_KEY] = {**session[SESSION_KEY], "until": clock.now().isoformat()}
    session.save()
    assert "<strong>helper@example.org</strong>" in looking.get(PROFILE).content.decode()
    assert SESSION_KEY not in looking.session


def test_signing_out_ends_it(looking, helper):
    looking.post("/accounts/logout/")
    looking.force_login(helper)
    assert "You see the pages of" not in looking.get(PROFILE).content.decode()


def test_whose_role_is_taken_away_sees_no_more(looking, helper):
    type(helper).objects.filter(pk=helper.pk).update(role="finance")
    assert "<strong>helper@example.org</strong>" in looking.get(PROFILE).content.decode()


def test_who_is_blocked_meanwhile_is_seen_no_more(looking, ana):
    type(ana).objects.filter(pk=ana.pk).update(is_active=False)
    assert "<strong>helper@example.org</strong>" in looking.get(PROFILE).content.decode()


def test_a_session_of_another_member_of_staff_does_not_look(helper, ana):
    told = impersonation.begin(ana, reason=WHY, by=helper, now=NOW)
    assert impersonation.find(told, helper, now=NOW).person == ana
    assert impersonation.find(told, cast.dana(), now=NOW) is None
    assert impersonation.find(told, helper, now=NOW + timedelta(minutes=30)) is None


@pytest.mark.parametrize("reason", ["", "because", "x" * 501])
def test_without_a_real_reason_nobody_looks(helper, ana, reason):
    with pytest.raises(Invalid):
        impersonation.begin(ana, reason=reason, by=helper, now=NOW)
    assert not AuditEntry.objects.exists()


def test_staff_and_closed_accounts_are_not_looked_at(helper):
    gone = build.person(email="gone@example.org", is_active=False)
    for person in (cast.dana(), helper, gone):
        with pytest.raises(Conflict):
            impersonation.begin(person, reason=WHY, by=helper, now=NOW)


def test_who_did_not_prove_themselves_a_moment_ago_does_not_look(client, helper, ana):
    client.force_login(helper)
    answer = client.post(f"/admin/customers/{ana.pk}/look/", {"reason": WHY})
    assert answer.url.startswith("/accounts/reauthenticate/")
    assert SESSION_KEY not in client.session


def test_finance_does_not_look(client, ana):
    client.force_login(build.person(email="money@example.org", is_staff=True, role="finance"))
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    assert client.post(f"/admin/customers/{ana.pk}/look/", {"reason": WHY}).status_code == 403
