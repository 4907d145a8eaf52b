"""apps/inference/settlement.py: late, lost and faulty workers; a run is stored and paid once."""

from uuid import uuid4

import pytest

from apps.inference import engine, settlement
from apps.inference.calls import Completion, Spent
from apps.inference.models import Run
from tests import build
from tests.support.answers import NOW, QUESTION, events_of, ledger_of, messages_used, slots_held
from tests.support.provider import GREETING_TEXT

pytestmark = pytest.mark.django_db(transaction=True)


def begin(run):
    return settlement.begin(run.pk, prompt=lambda _run, _plan: QUESTION, keep=lambda *_: None, now=NOW)


def finish(claim):
    completion = Completion("succeeded", "42", "", "stop", "", Spent(10, 6), "reported")
    return settlement.finish(claim, settlement.Ending(completion, "local", NOW), lambda *_: None, now=NOW)


def test_a_late_workers_answer_is_refused(account, course, provider):
    gate = provider.gate()
    provider.answer("old ", gate, "worker")
    run = build.run(account=account)
    with course.executing(run):
        gate.wait_reached()
        Run.objects.filter(pk=run.pk).update(state="queued", lease_token=None)  # as the sweeper does
        gate.open()
    assert (run.state, course.kept, ledger_of(run)) == ("queued", [], [])
    course.execute(run)
    assert (run.state, run.text, run.attempts) == ("succeeded", f"old worker{GREETING_TEXT}", 2)
    assert len(ledger_of(run)) == 1
    assert messages_used(account) == [(0, 1), (0, 1)]
    assert "run.snapshot" in events_of(run)
    assert [kind for kind in events_of(run) if kind in ("run.finished", "run.failed")] == ["run.finished"]


def test_after_two_lost_workers_it_ends_with_what_was_saved(account, course, provider):
    run = build.run(account=account, attempts=2, text="What was saved", backend="local")
    course.execute(run)
    assert (run.state, run.error_code, run.text) == ("failed", "worker_lost", "What was saved")
    assert course.kept == [(run.pk, "What was saved")]
    assert ledger_of(run) == [("estimated", 1, 9, 3, 0, 1)]
    assert provider.requests == []


def test_giving_up_leaves_another_workers_run_alone(account):
    token = uuid4()
    run = build.run(account=account, state="running", lease_token=token)
    assert settlement.give_up(run.pk, uuid4(), now=NOW) is None
    assert settlement.give_up(run.pk, None, now=NOW) is None
    run.refresh_from_db()
    assert (run.state, run.lease_token) == ("running", token)


def test_a_fault_of_ours_ends_the_run_and_charges_nothing(account, provider):
    run = build.run(account=account)

    def fail(_run, _completion):
        raise ZeroDivisionError("a fault in keep")

    engine.execute(run.pk, prompt=lambda _run, _plan: QUESTION, keep=fail, clock=lambda: NOW)
    run.refresh_from_db()
    assert (run.state, run.error_code) == ("failed", "internal_error")
    assert ledger_of(run) == []
    assert messages_used(account) == [(0, 0), (0, 0)]
    assert slots_held(account) == 0
    assert events_of(run)[-1] == "run.failed"


def test_an_answer_is_begun_and_ended_in_few_statements(account, django_assert_num_queries):
    """What an answer costs beside its tokens is mostly how often it asks: docs/performance.md."""
    first, second = build.run(account=account), build.run(account=account)
    finish(begin(first))
    with django_assert_num_queries(9):  # BEGIN and COMMIT are two of them
        claim = begin(second)
    with django_assert_num_queries(6):
        finish(claim)
