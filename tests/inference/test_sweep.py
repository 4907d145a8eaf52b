"""apps/inference/sweep.py: lost workers and lost nudges."""

from datetime import timedelta
from uuid import uuid4

import pytest
from celery import current_app

from apps.inference import sweep
from apps.inference.models import BackendTrouble
from tests import build
from tests.support.answers import events_of, ledger_of

pytestmark = pytest.mark.django_db(transaction=True)
NOW = build.NOW


@pytest.fixture
def account():
    return build.account()


def running(account, *, lease_until, **fields):
    return build.run(account=account, state="running", lease_until=lease_until, lease_token=uuid4(), **fields)


def jobs_in(queue):
    with current_app.connection_for_write() as connection:
        return connection.default_channel.client.llen(queue)


def test_a_run_whose_lease_ran_out_waits_again_and_is_nudged(account):
    run = running(account, lease_until=NOW - timedelta(seconds=1), attempts=1, text="so far")
    assert sweep.give_back_abandoned(now=NOW) == 1
    run.refresh_from_db()
    assert (run.state, run.lease_token, run.lease_until, run.nudged_at) == ("queued", None, None, NOW)
    assert (run.text, run.attempts) == ("so far", 1)
    assert jobs_in("runs.free") == 1


def test_a_run_whose_lease_holds_is_left_alone(account):
    run = running(account, lease_until=NOW + timedelta(seconds=1))
    assert sweep.give_back_abandoned(now=NOW) == 0
    run.refresh_from_db()
    assert run.state == "running"
    assert jobs_in("runs.free") == 0


def test_a_run_that_is_over_is_left_alone(account):
    build.run(account=account, state="succeeded", lease_until=NOW - timedelta(hours=1))
    assert sweep.give_back_abandoned(now=NOW) == 0


def test_a_lost_nudge_is_sent_again_with_growing_gaps(account):
    run = build.run(account=account)
    nudges = [s for s in range(0, 121, 5) if sweep.nudge_waiting(now=NOW + timedelta(seconds=s))]
    assert nudges == [20, 40, 80]
    run.refresh_from_db()
    assert run.nudged_at == NOW + timedelta(seconds=80)
    assert jobs_in("runs.free") == 3


def test_a_run_nudged_lately_is_left_alone(account):
    build.run(account=account)
    assert sweep.nudge_waiting(now=NOW + timedelta(seconds=14)) == 0


def test_who_waited_too_long_is_told_so_and_pays_nothing(account):
    late, patient = build.run(account=account), build.run(account=account)
    for run, minutes in ((late, 2.1), (patient, 1.9)):
        type(run).objects.filter(pk=run.pk).update(in_line_since=NOW - timedelta(minutes=minutes))
    assert sweep.end_too_late(now=NOW) == 1
    assert sweep.end_too_late(now=NOW) == 0
    late.refresh_from_db()
    patient.refresh_from_db()
    assert (late.state, late.error_code, patient.state) == ("failed", "overloaded", "queued")
    assert ledger_of(late) == []
    assert events_of(late) == ["run.failed"]


def test_old_counts_of_trouble_are_dropped():
    for days in (29, 31):
        facts = {"starts_at": NOW - timedelta(days=days), "reason": "timed_out", "calls": days}
        BackendTrouble.objects.create(backend="local", **facts)
    sweep.forget_trouble(now=NOW)
    assert [row.calls for row in BackendTrouble.objects.all()] == [29]
