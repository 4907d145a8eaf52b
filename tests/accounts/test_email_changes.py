"""apps/accounts/email_changes.py: an address changes when both mailboxes said so, and only then."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.tokens import default_token_generator
from django.db import connection

from apps.accounts import email_changes
from apps.accounts.models import EmailChange, Letter
from apps.core.errors import Conflict, Invalid
from tests import build, cast
from tests.build import NOW

pytestmark = pytest.mark.django_db
OLD, NEW = "ana@example.org", "ana@new.example.org"


def joined(person):
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    return person


@pytest.fixture
def ana():
    return joined(cast.ana())


def code_to(address):
    """The code of the last letter there."""
    letter = Letter.objects.filter(to=address).order_by("-pk").first()
    found = re.search(r"^ {4}(\S+)$", letter.text, re.MULTILINE)
    return found[1] if found else "NOCODE"


def confirm(person, old=None, new=None, *, to=NEW, now=NOW):
    old, new = old or code_to(person.email), new or code_to(to)
    return email_changes.confirm(person, old, new, this_session=None, now=now)


def address_of(person):
    person.refresh_from_db()
    return person.email


def test_both_codes_change_the_address(ana):
    email_changes.ask(ana, " Ana@New.example.org ", now=NOW)
    assert address_of(ana) == OLD
    confirm(ana)
    assert address_of(ana) == NEW
    (address,) = EmailAddress.objects.filter(user=ana)
    assert (address.email, address.verified, address.primary) == (NEW, True, True)
    assert not EmailChange.objects.exists()
    told = Letter.objects.order_by("-pk").first()
    assert (told.kind, told.to) == ("email_changed", OLD)


@pytest.mark.parametrize("wrong", [{"old": "BCDFGH"}, {"new": "BCDFGH"}])
def test_one_code_alone_changes_nothing(ana, wrong):
    email_changes.ask(ana, NEW, now=NOW)
    with pytest.raises(Invalid) as refused:
        confirm(ana, **wrong)
    assert refused.value.field == f"{next(iter(wrong))}_code"
    assert address_of(ana) == OLD


def test_the_codes_are_not_those_of_the_other_mailbox(ana):
    email_changes.ask(ana, NEW, now=NOW)
    with pytest.raises(Invalid):
        confirm(ana, old=code_to(NEW), new=code_to(OLD))
    assert address_of(ana) == OLD


def test_after_five_tries_the_codes_are_spent(ana):
    email_changes.ask(ana, NEW, now=NOW)
    for _ in range(5):
        with pytest.raises(Invalid):
            confirm(ana, new="BCDFGH")
    with pytest.raises(Conflict):
        confirm(ana)
    assert address_of(ana) == OLD
    assert email_changes.find(ana, now=NOW) is None


def test_codes_are_good_for_a_quarter_of_an_hour(ana):
    email_changes.ask(ana, NEW, now=NOW)
    with pytest.raises(Conflict):
        confirm(ana, now=NOW + timedelta(minutes=15))
    assert address_of(ana) == OLD


def test_a_later_wish_takes_the_place_of_an_earlier_one(ana):
    email_changes.ask(ana, NEW, now=NOW)
    old, new = code_to(OLD), code_to(NEW)
    email_changes.ask(ana, "ana@later.example.org", now=NOW)
    with pytest.raises(Invalid):
        confirm(ana, old, new)
    confirm(ana, to="ana@later.example.org")
    assert address_of(ana) == "ana@later.example.org"


def test_codes_of_somebody_else_change_nothing(ana):
    mallory = joined(cast.mallory())
    email_changes.ask(ana, NEW, now=NOW)
    with pytest.raises(Conflict):
        email_changes.confirm(mallory, code_to(OLD), code_to(NEW), this_session=None, now=NOW)
    assert (address_of(ana), address_of(mallory)) == (OLD, "mallory@example.org")


def test_an_address_that_has_an_account_shows_that_to_its_own_mailbox_alone(ana):
    ben = joined(cast.ben())
    change = email_changes.ask(ana, ben.email, now=NOW)
    assert email_changes.find(ana, now=NOW) == change
    assert Letter.objects.get(to=ben.email).kind == "email_change_taken"
    assert code_to(ben.email) == "NOCODE"
    with pytest.raises(Invalid):
        confirm(ana, to=ben.email)
    assert (address_of(ana), address_of(ben)) == (OLD, "ben@example.org")


def test_an_address_that_got_an_account_meanwhile_stays_with_it(ana):
    email_changes.ask(ana, NEW, now=NOW)
    late = joined(build.person(email=NEW))
    with pytest.raises(Conflict):
        confirm(ana)
    assert (address_of(ana), address_of(late)) == (OLD, NEW)


def test_ones_own_address_is_no_change(ana):
    with pytest.raises(Invalid):
        email_changes.ask(ana, OLD.upper(), now=NOW)
    assert not Letter.objects.exists()


def test_a_link_to_reset_the_password_is_void_afterwards(ana):
    token = default_token_generator.make_token(ana)
    email_changes.ask(ana, NEW, now=NOW)
    confirm(ana)
    assert default_token_generator.check_token(ana, token) is False


@pytest.mark.django_db(transaction=True)
def test_of_two_who_want_one_address_one_gets_it():
    people = [joined(build.person(email=f"{name}@example.org")) for name in ("one", "two")]
    codes = []
    for person in people:
        email_changes.ask(person, NEW, now=NOW)
        codes.append((code_to(person.email), code_to(NEW)))
    start = Barrier(2)

    def both(person, told):
        start.wait()
        try:
            email_changes.confirm(person, *told, this_session=None, now=NOW)
        except Conflict:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(2) as pool:
        won = list(pool.map(both, people, codes))
    assert sorted(won) == [False, True]
    assert [address_of(person) == NEW for person in people] == won


@pytest.mark.django_db(transaction=True)
def test_the_same_codes_twice_at_once_change_the_address_once():
    ana = joined(cast.ana())
    email_changes.ask(ana, NEW, now=NOW)
    told, start = (code_to(OLD), code_to(NEW)), Barrier(2)

    def both(_number):
        start.wait()
        try:
            email_changes.confirm(ana, *told, this_session=None, now=NOW)
        except Conflict:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(both, range(2))) == [False, True]
    assert Letter.objects.filter(kind="email_changed").count() == 1


def test_what_nobody_confirmed_is_forgotten(ana):
    email_changes.ask(ana, NEW, now=NOW)
    assert email_changes.drop_old(now=NOW + timedelta(minutes=15)) == 0
    assert email_changes.drop_old(now=NOW + timedelta(minutes=16)) == 1
