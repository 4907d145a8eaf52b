"""apps/privacy/departures.py: closed at once, erased after a week, and kept by whoever comes back in time."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.contrib.auth import authenticate
from django.core import mail
from django.db import connection

from apps.accounts import letters
from apps.accounts.models import AuditEntry, Letter
from apps.billing import entitlements, outbox
from apps.billing.models import StripeOutbox
from apps.chat.models import Conversation
from apps.core.errors import Conflict, Invalid, Missing
from apps.developer import keys
from apps.inference.models import Run
from apps.privacy import departures, erasures
from apps.privacy.models import DataRequest
from tests import build, cast
from tests.build import NOW, PASSWORD
from tests.privacy.test_exports import life
from tests.support import shop

pytestmark = pytest.mark.django_db
WEEK = timedelta(days=7)
JUST_BEFORE, JUST_AFTER = NOW + WEEK - timedelta(seconds=1), NOW + WEEK
State = DataRequest.State


@pytest.fixture
def ana():
    return cast.ana()


def leave(person, *, now=NOW):
    return departures.schedule(person, person.email, now=now)


def state_of(request):
    return DataRequest.objects.get(pk=request.pk).state


def test_another_address_changes_nothing(ana):
    life(ana, text="Bonjour")
    with pytest.raises(Invalid) as refused:
        departures.schedule(ana, "mallory@example.org", now=NOW)
    assert refused.value.field == "email"
    ana.refresh_from_db()
    assert ana.is_active
    assert not DataRequest.objects.exists()
    assert not Letter.objects.exists()


def test_the_address_may_be_typed_in_capitals(ana):
    assert departures.schedule(ana, " ANA@Example.org ", now=NOW).state == State.SCHEDULED


def test_nobody_signs_in_and_no_key_opens_during_the_week(ana):
    _key, secret = keys.make_key(build.account(owner=ana), "laptop", now=NOW)
    leave(ana)
    assert authenticate(username="ana@example.org", password=PASSWORD) is None
    assert keys.find_key(secret, now=NOW) is None


def test_a_running_answer_is_asked_to_stop(ana):
    run = build.run(account=build.account(owner=ana))
    leave(ana)
    assert Run.objects.get(pk=run.pk).stop_requested_at == NOW


def test_nothing_is_erased_before_the_week_is_over(ana):
    life(ana, text="Bonjour")
    request = leave(ana)
    assert erasures.continue_erasure(request.pk, now=JUST_BEFORE) is False
    assert state_of(request) == State.SCHEDULED
    assert Conversation.objects.filter(owner=ana).count() == 1
    assert erasures.continue_erasure(request.pk, now=JUST_AFTER) is True
    assert not Conversation.objects.filter(owner=ana).exists()


def test_who_comes_back_finds_everything_as_it_was(ana):
    life(ana, text="Bonjour")
    _key, secret = keys.make_key(ana.billing_account, "laptop", now=NOW)
    request = leave(ana)
    assert departures.keep(request.pk, now=JUST_BEFORE) == ana
    assert authenticate(username="ana@example.org", password=PASSWORD) == ana
    assert keys.find_key(secret, now=JUST_BEFORE) is not None
    assert Conversation.objects.filter(owner=ana).count() == 1
    assert erasures.continue_erasure(request.pk, now=JUST_AFTER) is False
    assert Conversation.objects.filter(owner=ana).count() == 1
    assert state_of(request) == State.KEPT
    assert AuditEntry.objects.get(action="account.kept").subject == ana


def test_it_is_too_late_when_the_week_is_over(ana):
    request = leave(ana)
    with pytest.raises(Conflict):
        departures.keep(request.pk, now=JUST_AFTER)
    ana.refresh_from_db()
    assert not ana.is_active


def test_coming_back_twice_is_coming_back_once(ana):
    request = leave(ana)
    departures.keep(request.pk, now=NOW)
    with pytest.raises(Conflict):
        departures.keep(request.pk, now=NOW)
    assert AuditEntry.objects.filter(action="account.kept").count() == 1


def test_asking_twice_is_asking_once(ana):
    request = leave(ana)
    assert leave(ana, now=NOW + timedelta(days=1)).pk == request.pk
    assert DataRequest.objects.get().next_at == NOW + WEEK
    assert Letter.objects.count() == 1


def test_who_came_back_may_leave_again(ana):
    first = leave(ana)
    departures.keep(first.pk, now=NOW)
    ana.refresh_from_db()
    assert leave(ana).pk != first.pk


@pytest.mark.django_db(transaction=True)
def test_of_coming_back_and_being_erased_exactly_one_wins():
    """Both see the last moment in their own way; whoever is second finds the row moved."""
    for number in range(10):
        person = build.person(email=f"someone{number}@example.org")
        request = leave(person)
        start = Barrier(2)

        def keep(request=request, start=start):
            start.wait()
            try:
                departures.keep(request.pk, now=JUST_BEFORE)
            except Conflict:
                return False
            finally:
                connection.close()
            return True

        def erase(request=request, start=start):
            start.wait()
            try:
                return erasures.continue_erasure(request.pk, now=JUST_AFTER)
            finally:
                connection.close()

        with ThreadPoolExecutor(2) as pool:
            kept, erased = [job.result() for job in (pool.submit(keep), pool.submit(erase))]
        assert kept != erased
        person.refresh_from_db()
        assert person.is_active == kept
        assert (person.email == f"someone{number}@example.org") == kept


def test_a_letter_says_the_day_and_brings_back(ana):
    request = leave(ana)
    letter = Letter.objects.get()
    assert (letter.kind, letter.to) == ("account_leaving", "ana@example.org")
    assert letter.subject == f"Your account will be erased on {JUST_AFTER.day} {JUST_AFTER:%B} {JUST_AFTER.year}"
    link = departures.link_of(request)
    assert link in letter.text
    token = link.rstrip("/").rpartition("/")[2]
    assert departures.read_link(token, now=JUST_BEFORE) == request
    with pytest.raises(Missing):
        departures.read_link(token, now=JUST_AFTER)


@pytest.mark.parametrize("token", ["", "x", "bm90LWEtdXVpZA:1abc:sig"])
def test_a_made_up_link_brings_nobody_back(ana, token):
    leave(ana)
    with pytest.raises(Missing):
        departures.read_link(token, now=NOW)


def test_the_letter_is_in_the_language_of_the_person(ana):
    type(ana).objects.filter(pk=ana.pk).update(language="fr")
    ana.refresh_from_db()
    leave(ana)
    letter = Letter.objects.get()
    assert letter.language == "fr"
    assert letter.subject.startswith("Votre compte sera effacé le ")


def test_one_reminder_a_day_before(ana):
    request = leave(ana)
    day_before = NOW + WEEK - timedelta(days=1)
    assert departures.remind(now=day_before - timedelta(seconds=1)) == 0
    assert [departures.remind(now=day_before) for _ in range(2)] == [1, 0]
    assert list(Letter.objects.order_by("pk").values_list("kind", flat=True)) == [
        "account_leaving",
        "account_leaving_soon",
    ]
    assert departures.link_of(request) in Letter.objects.get(kind="account_leaving_soon").text


def test_no_reminder_for_who_came_back(ana):
    departures.keep(leave(ana).pk, now=NOW)
    assert departures.remind(now=JUST_BEFORE) == 0


def test_a_receipt_is_the_last_letter_and_then_the_address_is_forgotten(ana, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    request = leave(ana)
    letters.send_due(clock=lambda: NOW)
    mail.outbox = []
    assert erasures.continue_erasure(request.pk, now=JUST_AFTER) is True
    letters.send_due(clock=lambda: JUST_AFTER)
    (receipt,) = mail.outbox
    assert receipt.to == ["ana@example.org"]
    assert f"/settings/data/receipt/{request.pk}/" in receipt.body
    assert not Letter.objects.filter(to="ana@example.org").exists()
    assert DataRequest.objects.get(pk=request.pk).notify == ""


def test_staff_may_end_the_week_for_who_does_not_want_it(ana):
    request = leave(ana)
    assert erasures.ask_erasure(ana, now=NOW).pk == request.pk
    with pytest.raises(Conflict):
        departures.keep(request.pk, now=NOW)
    assert erasures.continue_erasure(request.pk, now=NOW) is True


def subscriber(person):
    account = entitlements.account_for(person, now=shop.now())
    shop.buy(account)
    outbox.send_due(clock=shop.now)
    return account


def ends(sandbox):
    return [(one["status"], one["cancel_at_period_end"]) for one in sandbox.objects("subscription")]


def test_a_plan_ends_with_what_is_paid_and_goes_on_for_who_comes_back(published, ana):
    account = subscriber(ana)
    request = leave(ana, now=shop.now())
    outbox.send_due(clock=shop.now)
    assert ends(published) == [("active", True)]
    shop.look(account)
    departures.keep(request.pk, now=shop.now())
    outbox.send_due(clock=lambda: shop.now() + timedelta(minutes=2))
    assert ends(published) == [("active", False)]


def test_a_cancellation_that_had_not_left_is_withdrawn(published, ana):
    subscriber(ana)
    request = leave(ana, now=shop.now())
    departures.keep(request.pk, now=shop.now())
    assert not StripeOutbox.objects.filter(kind=outbox.END).exists()
    outbox.send_due(clock=lambda: shop.now() + timedelta(minutes=2))
    assert ends(published) == [("active", False)]


def test_a_plan_that_its_owner_had_ended_stays_ended(published, ana):
    account = subscriber(ana)
    subscription = published.objects("subscription")[0]["id"]
    shop.change(published, subscription, cancel_at_period_end="true")
    shop.look(account)
    departures.keep(leave(ana, now=shop.now()).pk, now=shop.now())
    outbox.send_due(clock=lambda: shop.now() + timedelta(minutes=2))
    assert ends(published) == [("active", True)]
