"""What guests may use in a day: messages from one address, money of the whole site; a burst cannot pass either."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from apps.core.errors import LimitReached
from apps.usage import guest_days
from apps.usage.models import GuestDay
from tests.build import NOW

pytestmark = pytest.mark.django_db
HERE, THERE = "203.0.113.7", "198.51.100.9"


@pytest.fixture(autouse=True)
def caps(settings):
    settings.GUEST_MESSAGES_PER_ADDRESS = 3
    settings.GUEST_COST_MICRO_PER_DAY = 700


def is_taken(address=HERE, cost_micro=10, now=NOW):
    try:
        guest_days.take(address, cost_micro, now=now)
    except LimitReached:
        return False
    return True


def test_an_address_has_its_messages_and_others_have_theirs():
    assert [is_taken() for _ in range(4)] == [True, True, True, False]
    assert is_taken(THERE)


def test_the_whole_site_has_its_money(settings):
    settings.GUEST_MESSAGES_PER_ADDRESS = 100
    assert [is_taken(cost_micro=300) for _ in range(3)] == [True, True, False]
    assert is_taken(THERE, cost_micro=300) is False
    assert is_taken(THERE, cost_micro=100) is True


def test_who_is_refused_by_the_site_is_not_counted_at_the_address(settings):
    assert is_taken(cost_micro=701) is False
    assert list(GuestDay.objects.values_list("messages", "cost_micro")) == []
    assert [is_taken() for _ in range(3)] == [True] * 3


def test_the_refusal_says_until_when():
    with pytest.raises(LimitReached) as refused:
        guest_days.take(HERE, 701, now=NOW)
    tomorrow = datetime(NOW.year, NOW.month, NOW.day, tzinfo=UTC) + timedelta(days=1)
    assert (refused.value.code, refused.value.refusal.resets_at) == ("guests_limit_reached", tomorrow)
    assert "Sign up" in str(refused.value.sentence)


def test_the_next_day_begins_anew():
    assert [is_taken() for _ in range(4)][-1] is False
    assert is_taken(now=NOW + timedelta(days=1))


def test_no_address_is_kept_and_old_days_are_forgotten():
    is_taken()
    assert not GuestDay.objects.filter(origin__contains="203").exists()
    assert guest_days.forget_old(now=NOW + timedelta(days=2)) == 0
    assert guest_days.forget_old(now=NOW + timedelta(days=3)) == 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("cap", ["address", "site"])
def test_forty_at_once_with_room_for_seven_admit_seven(settings, cap):
    settings.GUEST_MESSAGES_PER_ADDRESS = 7 if cap == "address" else 100
    settings.GUEST_COST_MICRO_PER_DAY = 10_000 if cap == "address" else 79

    def one(number):
        try:
            return is_taken(HERE if cap == "address" else f"203.0.113.{number}")
        finally:
            connection.close()

    with ThreadPoolExecutor(40) as pool:
        assert sum(pool.map(one, range(40))) == 7
    assert GuestDay.objects.get(origin="").messages == 7
