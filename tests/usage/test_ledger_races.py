"""Two proofs that nothing is promised twice: the condition stands in the UPDATE, and threads cannot pass it."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from threading import Barrier
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.db.models import Count
from django.test.utils import CaptureQueriesContext

from apps.billing.meters import Meter
from apps.core.errors import LimitReached
from apps.usage import ledger
from apps.usage.limits import Demand
from apps.usage.models import UsageBucket, UsageLedger, UsageReservation
from tests import build
from tests.usage.test_ledger import used

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
THREADS, ROUNDS = 200, 100
ADMITTED = "admitted"
SEVEN = build.plan(limits=[build.limit(amount=7), build.limit(amount=100, window="7d")])


def reserve(account, run_id, *, plan=SEVEN, now=NOW):
    demand = Demand(plan, "chat-small", {Meter.MESSAGES: 1})
    with transaction.atomic():
        ledger.reserve(account, run_id, demand, timeout_s=60, now=now)
    return ADMITTED


def at_once(count, work):
    """Run `work(number)` in `count` threads that begin together; give what each returned or raised."""
    barrier = Barrier(count)

    def one(number):
        try:
            barrier.wait(timeout=30)
            return work(number)
        except LimitReached as refused:
            return refused
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


@pytest.mark.django_db
def test_the_condition_stands_in_the_update():
    account = build.account()
    reserve(account, UUID(int=1))
    with CaptureQueriesContext(connection) as captured:
        reserve(account, UUID(int=2))
    [sent] = [query["sql"] for query in captured if "UPDATE usage_usagebucket" in query["sql"]]
    _before, *updates = sent.split("UPDATE usage_usagebucket")
    assert len(updates) == 3
    assert "settled + reserved + 1 <= 7::bigint" in updates[1]
    assert "window_end > '2026-03-02 09:00:00+00:00'" in updates[1]
    keys = [sql.partition("limit_key = '")[2].partition("'")[0] for sql in updates]
    assert keys == ["concurrency:*:", "messages:chat-small:3h", "messages:chat-small:7d"]
    assert ["EXISTS (SELECT FROM took_" in sql for sql in updates] == [False, True, True]
    assert not [query["sql"] for query in captured if "FROM usage_usagebucket" in query["sql"]]


@pytest.mark.django_db(transaction=True)
def test_f33_forty_at_once_with_room_for_seven_admit_seven():
    account = build.account()
    answers = at_once(40, lambda number: reserve(account, UUID(int=number + 1)))
    assert answers.count(ADMITTED) == 7
    assert {answer.code for answer in answers if isinstance(answer, LimitReached)} == {"limit_reached"}
    counts = {bucket.limit_key: bucket.reserved for bucket in UsageBucket.objects.all()}
    assert counts == {"concurrency:*:": 7, "messages:chat-small:3h": 7, "messages:chat-small:7d": 7}
    assert UsageReservation.objects.count() == 21


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_two_hundred_at_once_with_room_for_seven_admit_seven_a_hundred_times():
    with connection.cursor() as cursor:
        cursor.execute("SHOW max_connections")
        if int(cursor.fetchone()[0]) < THREADS + 20:
            pytest.skip(f"this Postgres has no room for {THREADS} connections")
    accounts = [build.account(owner=build.person(email=f"race{n}@example.org")) for n in range(ROUNDS)]
    barrier = Barrier(THREADS)

    def one(number):
        admitted = []
        try:
            for turn, account in enumerate(accounts):
                barrier.wait(timeout=60)
                with suppress(LimitReached):
                    reserve(account, UUID(int=turn * THREADS + number + 1))
                    admitted.append(turn)
        finally:
            connection.close()
        return admitted

    with ThreadPoolExecutor(THREADS) as pool:
        turns = Counter(turn for admitted in pool.map(one, range(THREADS)) for turn in admitted)
    assert turns == dict.fromkeys(range(ROUNDS), 7)
    standing = UsageBucket.objects.values_list("limit_key", "reserved", "settled").annotate(Count("id"))
    keys = "concurrency:*:", "messages:chat-small:3h", "messages:chat-small:7d"
    assert sorted(standing) == [(key, 7, 0, ROUNDS) for key in keys]
    assert UsageReservation.objects.count() == 3 * 7 * ROUNDS


@pytest.mark.django_db(transaction=True)
def test_one_new_window_opens_when_many_find_the_old_one_over():
    account = build.account()
    reserve(account, UUID(int=99))
    later = NOW + timedelta(hours=3)
    at_once(12, lambda number: reserve(account, UUID(int=number + 1), now=later))
    windows = UsageBucket.objects.filter(limit_key="messages:chat-small:3h").order_by("window_start")
    assert [(row.window_start, row.reserved, row.is_open) for row in windows] == [(NOW, 1, False), (later, 7, True)]


@pytest.mark.django_db(transaction=True)
def test_two_workers_reserving_for_one_run_take_once():
    account = build.account()
    answers = at_once(6, lambda _number: reserve(account, UUID(int=1)))
    assert answers == [ADMITTED] * 6
    assert UsageReservation.objects.count() == 3
    assert UsageBucket.objects.get(limit_key="messages:chat-small:3h").reserved == 1


@pytest.mark.django_db(transaction=True)
def test_two_workers_settling_one_run_leave_one_row():
    account = build.account()
    reserve(account, UUID(int=1))

    def settle(_number):
        with transaction.atomic():
            return ledger.settle(UUID(int=1), used(), now=NOW).row

    answers = at_once(6, settle)
    assert len({answer.pk for answer in answers}) == 1
    assert UsageLedger.objects.count() == 1
    row = UsageBucket.objects.get(limit_key="messages:chat-small:3h")
    assert (row.reserved, row.settled) == (0, 1)
