"""A worker is killed between setting aside and settling: nothing stays set aside, and nobody pays twice."""

import os
from datetime import timedelta
from uuid import UUID

import pytest
from django.conf import settings
from django.db import connection

from apps.usage import sweep
from apps.usage.models import UsageBucket, UsageLedger, UsageReservation
from tests import build
from tests.support.dying import die_at
from tests.usage.test_ledger import NOW, reserve, settle, states

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
RUN = UUID(int=1)
AFTER_ALL = NOW + timedelta(minutes=4)


def die(point, account):
    url = settings.DATABASE_URL.rpartition("/")[0] + f"/{connection.settings_dict['NAME']}"
    die_at(point, account, RUN, database_url=url, environment=dict(os.environ))


def standing():
    return sorted(UsageBucket.objects.values_list("meter", "reserved", "settled"))


def test_killed_after_setting_aside_the_sweep_gives_all_back():
    account = build.account()
    die("reserved", account)
    assert standing() == [("concurrency", 1, 0), ("messages", 1, 0)]
    assert sweep.expire_reservations(now=NOW + timedelta(minutes=2)) == 0
    assert sweep.expire_reservations(now=AFTER_ALL) == 2
    assert standing() == [("concurrency", 0, 0), ("messages", 0, 0)]
    assert not UsageLedger.objects.exists()


def test_killed_after_setting_aside_the_next_worker_settles_and_it_is_charged_once():
    account = build.account()
    die("reserved", account)
    reserve(account)
    assert standing() == [("concurrency", 1, 0), ("messages", 1, 0)]
    settle()
    assert sweep.expire_reservations(now=AFTER_ALL) == 0
    assert standing() == [("concurrency", 0, 0), ("messages", 0, 1)]
    assert UsageLedger.objects.count() == 1


def test_killed_while_settling_nothing_was_booked_and_the_next_worker_books_it():
    account = build.account()
    die("settling", account)
    assert standing() == [("concurrency", 1, 0), ("messages", 1, 0)]
    assert states() == {"open"}
    assert not UsageLedger.objects.exists()
    settle()
    assert standing() == [("concurrency", 0, 0), ("messages", 0, 1)]
    assert UsageLedger.objects.count() == 1


def test_killed_after_settling_the_next_worker_gets_the_same_row():
    account = build.account()
    die("settled", account)
    row = UsageLedger.objects.get()
    assert settle(output_tokens=999) == row
    assert sweep.expire_reservations(now=AFTER_ALL) == 0
    assert standing() == [("concurrency", 0, 0), ("messages", 0, 1)]
    assert UsageReservation.objects.filter(state="settled").count() == 2
