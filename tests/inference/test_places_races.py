"""apps/inference/places.py under threads: never more at once than the plan says, none forgotten, each charged once."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import settings
from django.db import connection, connections, transaction
from redis import Redis

from apps.inference import settlement
from apps.inference.models import Run
from tests import build
from tests.inference.test_places import ANSWER, begin, facts_of, finish
from tests.support.answers import NOW, QUESTION, jobs_in, ledger_of, messages_used, slots_held, wait_for
from tests.support.provider import Pause

pytestmark = pytest.mark.django_db(transaction=True)
IS_WAITING = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE %s)"


def waits_for_a_lock(words):
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")  # in a transaction, the first look is kept
        cursor.execute(IS_WAITING, [f"%{words}%"])
        return cursor.fetchone()[0]


def in_thread(work):
    def act():
        try:
            work()
        finally:
            connections.close_all()

    thread = threading.Thread(target=act)
    thread.start()
    return thread


def test_refused_while_the_answer_before_it_is_ending_it_is_lined_up(account):
    """The slot is given back, but not yet seen by others, when the second question asks for it."""
    first, second = build.run(account=account), build.run(account=account)
    claim, threads = begin(first), []

    def keep(_run, _completion):
        asking = in_thread(lambda: settlement.begin(second.pk, prompt=lambda *_: QUESTION, keep=keep, now=NOW))
        threads.append(asking)
        wait_for(lambda: waits_for_a_lock('FROM "usage_usagebucket"'))

    settlement.finish(claim, ANSWER, keep, now=NOW)
    threads[0].join()
    assert facts_of(second) == ("queued", 0, None, None, None, NOW)
    assert jobs_in("runs.free") == [second.pk]
    finish(begin(second))
    assert slots_held(account) == 0


def test_two_answers_that_end_in_the_same_moment_line_up_two(account):
    build.subscription(account=account, plan="premium")
    runs = [build.run(account=account, queue="runs.premium") for _ in range(8)]
    claims = [claim for run in runs if (claim := begin(run))]
    barrier = threading.Barrier(3)

    def end(claim):
        barrier.wait(timeout=10)
        finish(claim)

    for thread in [in_thread(lambda claim=claim: end(claim)) for claim in claims]:
        thread.join()
    assert sorted(jobs_in("runs.premium")) == sorted(run.pk for run in runs[3:6])


def test_one_that_is_being_stopped_is_passed_over(account):
    first, second, third = (build.run(account=account) for _ in range(3))
    claim = begin(first)
    begin(second)
    begin(third)
    is_locked, may_end = threading.Event(), threading.Event()

    def stop():
        with transaction.atomic():
            Run.objects.filter(pk=second.pk).update(state="stopped")
            is_locked.set()
            may_end.wait(10)

    stopping = in_thread(stop)
    assert is_locked.wait(10)
    finish(claim)
    may_end.set()
    stopping.join()
    assert jobs_in("runs.free") == [third.pk]


def next_job(queue):
    """What a worker takes; None when nothing is there."""
    jobs = jobs_in(queue)
    with Redis.from_url(settings.CELERY_BROKER_URL) as broker:
        return jobs[0] if jobs and broker.rpop(queue) else None


@pytest.mark.parametrize(("plan", "at_once"), [("free", 1), ("premium", 3)])
def test_many_that_wait_are_all_answered_and_never_more_at_once_than_the_plan_says(
    account, course, provider, plan, at_once
):
    queue = f"runs.{plan}"
    if plan != "free":
        build.subscription(account=account, plan=plan)
    runs = [build.run(account=account, queue=queue) for _ in range(9)]
    for _ in runs:
        provider.answer("Because", Pause(0.03), ".", usage=(10, 5))
    with course.executing(*runs):
        pass  # each is answered or held
    assert 1 <= Run.objects.filter(state="succeeded").count() < len(runs)
    jobs, taking = 0, threading.Lock()

    def work():
        nonlocal jobs
        while True:
            with taking:
                run_id = next_job(queue)
                jobs += run_id is not None
            if run_id is None:
                return
            course.execute(Run.objects.get(pk=run_id))

    def serve(_number):
        try:
            work()
        finally:
            connections.close_all()

    while jobs_in(queue):
        with ThreadPoolExecutor(4) as workers:
            list(workers.map(serve, range(4)))
    assert [run.state for run in Run.objects.all()] == ["succeeded"] * len(runs)
    assert provider.most_at_once <= at_once
    assert [len(ledger_of(run)) for run in runs] == [1] * len(runs)
    assert (messages_used(account), slots_held(account)) == ([(0, 9), (0, 9)], 0)
    assert jobs <= 3 * len(runs)  # no question is tried again and again
