"""Blocking: at once, everywhere, with a reason; nothing of it undoes a departure, and a departure nothing of it."""

import pytest
from django.test import Client

from apps.accounts.models import AuditEntry
from apps.core.errors import Conflict, Invalid
from apps.developer import keys
from apps.inference.models import Run
from apps.privacy import departures
from apps.staff import blocking
from tests import build, cast
from tests.build import NOW, PASSWORD

pytestmark = pytest.mark.django_db
WHY = "Sells accounts."


@pytest.fixture
def ana():
    return cast.ana()


@pytest.fixture
def dana():
    return cast.dana()


def is_open(person):
    person.refresh_from_db()
    return person.is_active


def test_who_is_blocked_is_out_at_once(ana, dana):
    here = Client()
    here.force_login(ana)
    account = build.account(owner=ana)
    _key, secret = keys.make_key(account, "laptop", now=NOW)
    run = build.run(account=account)
    blocking.block(ana, reason=WHY, by=dana, now=NOW)
    assert is_open(ana) is False
    assert here.get("/settings/profile/").status_code == 302
    assert keys.find_key(secret, now=NOW) is None
    assert Run.objects.get(pk=run.pk).stop_requested_at == NOW
    answer = Client().post("/accounts/login/", {"login": ana.email, "password": PASSWORD})
    assert answer.url == "/accounts/inactive/"
    entry = AuditEntry.objects.get(action="account.block")
    assert (entry.actor, entry.subject, entry.reason) == (dana, ana, WHY)


def test_who_is_let_in_again_is_in(ana, dana):
    blocking.block(ana, reason=WHY, by=dana, now=NOW)
    blocking.unblock(ana, reason="A mistake.", by=dana, now=NOW)
    assert is_open(ana) is True
    assert AuditEntry.objects.filter(action="account.unblock", reason="A mistake.").count() == 1


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501])
def test_without_a_reason_nobody_is_blocked(ana, dana, reason):
    with pytest.raises(Invalid):
        blocking.block(ana, reason=reason, by=dana, now=NOW)
    assert is_open(ana) is True


def test_twice_is_refused_and_written_once(ana, dana):
    blocking.block(ana, reason=WHY, by=dana, now=NOW)
    with pytest.raises(Conflict):
        blocking.block(ana, reason=WHY, by=dana, now=NOW)
    assert AuditEntry.objects.count() == 1


def test_staff_are_not_blocked(dana):
    second = build.person(email="second@example.org", is_staff=True, role="support")
    for person in (dana, second):
        with pytest.raises(Conflict):
            blocking.block(person, reason=WHY, by=dana, now=NOW)
        assert is_open(person) is True


def test_who_is_blocked_does_not_come_back_by_keeping_a_leaving_account(ana, dana):
    request = departures.schedule(ana, ana.email, now=NOW)
    blocking.block(ana, reason=WHY, by=dana, now=NOW)
    departures.keep(request.pk, now=NOW)
    assert is_open(ana) is False


def test_who_is_unblocked_while_leaving_still_leaves(ana, dana):
    blocking.block(ana, reason=WHY, by=dana, now=NOW)
    departures.schedule(ana, ana.email, now=NOW)
    blocking.unblock(ana, reason=WHY, by=dana, now=NOW)
    assert is_open(ana) is False


def test_support_blocks_on_the_page_and_finance_does_not(client, ana):
    address = f"/admin/customers/{ana.pk}/block/"
    client.force_login(build.person(email="money@example.org", is_staff=True, role="finance"))
    assert client.post(address, {"reason": WHY}).status_code == 403
    client.force_login(build.person(email="helper@example.org", is_staff=True, role="support"))
    client.post(address, {"reason": WHY})
    assert is_open(ana) is False
    client.post(address, {"reason": "Sorry."})
    assert is_open(ana) is True
