"""apps/inference/places.py: a question waits for its account's other answer, and everybody sees what is before them."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from prometheus_client import REGISTRY

from apps.billing.meters import Meter
from apps.core.errors import Unavailable
from apps.inference import gauges, places, runs, settlement, sweep
from apps.inference.calls import Completion, Spent
from apps.inference.events import Queued
from apps.inference.models import Run
from apps.inference.settlement import Ending
from apps.usage import ledger
from apps.usage.limits import Demand
from apps.usage.models import CreditAccount, UsageReservation
from tests import build
from tests.support.answers import NOW, QUESTION, events_of, jobs_in, ledger_of, messages_used, slots_held

pytestmark = pytest.mark.django_db(transaction=True)
ANSWER = Ending(Completion("succeeded", "Because.", "", "stop", "", Spent(10, output_tokens=5), "reported"), "local")


def begin(run, *, prompt=lambda _run, _plan: QUESTION, now=NOW):
    begun = settlement.begin(run.pk, prompt=prompt, keep=lambda _run, _completion: None, now=now)
    run.refresh_from_db()
    return begun


def finish(claim, *, now=NOW):
    return settlement.finish(claim, ANSWER, lambda _run, _completion: None, now=now).run


def asked(account, count, **fields):
    """So many questions of one account, a second apart, the latest now."""
    return [build.run(account=account, now=NOW - timedelta(seconds=count - n), **fields) for n in range(1, count + 1)]


def facts_of(run):
    run.refresh_from_db()
    return run.state, run.attempts, run.started_at, run.lease_token, run.lease_until, run.in_line_since


UNTOUCHED_BUT_HELD = ("queued", 0, None, None, None, None)


# --- held ---


def test_a_question_beyond_what_the_plan_writes_at_once_is_put_back_and_costs_nothing(account):
    first, second = asked(account, 2)
    begin(first)
    assert begin(second) is None
    assert facts_of(second) == UNTOUCHED_BUT_HELD
    assert not UsageReservation.objects.filter(run_id=second.pk).exists()
    assert (ledger_of(second), events_of(second), jobs_in("runs.free")) == ([], [], [])
    assert (slots_held(account), messages_used(account)) == (1, [(1, 0), (1, 0)])


def test_the_end_of_an_answer_lines_up_the_oldest_that_is_held(account):
    first, second, third = asked(account, 3)
    claim = begin(first)
    begin(third)
    begin(second)
    finish(claim, now=NOW + timedelta(seconds=9))
    assert jobs_in("runs.free") == [second.pk]
    assert facts_of(second) == ("queued", 0, None, None, None, NOW + timedelta(seconds=9))
    assert facts_of(third) == UNTOUCHED_BUT_HELD
    finish(begin(second))
    assert jobs_in("runs.free") == [second.pk, third.pk]
    finish(begin(third))
    assert [len(ledger_of(run)) for run in (first, second, third)] == [1, 1, 1]
    assert (slots_held(account), messages_used(account)) == (0, [(0, 3), (0, 3)])


def test_the_plan_says_how_many_are_written_at_once(account):
    build.subscription(account=account, plan="premium")
    four = asked(account, 4, queue="runs.premium")
    claims = [begin(run) for run in four]
    assert [claim is None for claim in claims] == [False, False, False, True]
    assert facts_of(four[3]) == UNTOUCHED_BUT_HELD
    finish(claims[1])
    assert jobs_in("runs.premium") == [four[3].pk]


def test_two_answers_that_end_line_up_two(account):
    build.subscription(account=account, plan="premium")
    five = asked(account, 5, queue="runs.premium")
    claims = [begin(run) for run in five]
    finish(claims[0])
    finish(claims[1])
    assert jobs_in("runs.premium") == [five[3].pk, five[4].pk]


def test_nobody_elses_question_is_lined_up(account):
    claim = begin(build.run(account=account))
    other = build.account(owner=build.person(email="other@example.org"))
    begin(build.run(account=other))
    theirs = build.run(account=other)
    begin(theirs)
    finish(claim)
    assert (jobs_in("runs.free"), facts_of(theirs)) == ([], UNTOUCHED_BUT_HELD)


def test_giving_up_lines_up_the_next(account):
    first, second = asked(account, 2)
    claim = begin(first)
    begin(second)
    settlement.give_up(first.pk, claim.token, now=NOW)
    assert jobs_in("runs.free") == [second.pk]


def test_after_two_lost_workers_the_next_is_lined_up(account):
    first, second = asked(account, 2)
    begin(first)
    begin(second)
    Run.objects.filter(pk=first.pk).update(state="queued", lease_token=None, attempts=2)  # as the sweeper leaves it
    assert begin(first).error_code == "worker_lost"
    assert jobs_in("runs.free") == [second.pk]


def test_a_run_of_a_lost_worker_keeps_its_slot_and_is_not_held(account):
    first, second = asked(account, 2)
    begin(first)
    begin(second)
    sweep.give_back_abandoned(now=NOW + timedelta(seconds=11))
    assert facts_of(first) == ("queued", 1, NOW, None, None, NOW + timedelta(seconds=11))
    finish(begin(first))
    assert jobs_in("runs.free") == [first.pk, second.pk]
    assert messages_used(account) == [(0, 1), (0, 1)]


def test_held_and_stopped_it_ends_at_once_and_the_next_is_lined_up(account):
    first, second, third = asked(account, 3)
    begin(first)
    begin(second)
    begin(third)
    runs.request_stop(second, now=NOW)
    second.refresh_from_db()
    assert (second.state, second.ended_at, events_of(second)) == ("stopped", NOW, ["run.stopped"])
    assert ledger_of(second) == []
    assert jobs_in("runs.free") == [third.pk]
    assert begin(third) is None
    assert facts_of(third) == UNTOUCHED_BUT_HELD


def test_lined_up_and_stopped_it_gives_its_turn_to_the_next(account):
    first, second, third = asked(account, 3)
    claim = begin(first)
    begin(second)
    begin(third)
    finish(claim)
    runs.request_stop(second, now=NOW)
    assert jobs_in("runs.free") == [second.pk, third.pk]
    assert begin(second) is None
    assert begin(third).run.pk == third.pk


# --- what happens meanwhile ---


def test_messages_spent_meanwhile_refuse_it_then_and_the_next_is_told_too(account):
    build.spent_messages(account=account, used=19)
    first, second, third = asked(account, 3)
    claim = begin(first)
    begin(second)
    begin(third)
    finish(claim)
    refused = begin(second)
    assert (refused.state, refused.error_code, refused.refusal["used"]) == ("failed", "limit_reached", 20)
    assert jobs_in("runs.free") == [second.pk, third.pk]
    assert begin(third).error_code == "limit_reached"
    assert (ledger_of(second), ledger_of(third), messages_used(account)) == ([], [], [(0, 20), (0, 1)])


def test_after_a_smaller_plan_it_waits_until_the_smaller_number_is_written(account):
    build.subscription(account=account, plan="premium")
    four = asked(account, 4, queue="runs.premium")
    claims = [begin(run) for run in four]
    build.subscription(account=account, plan="free", now=NOW + timedelta(seconds=1))
    for claim in claims[:2]:
        finish(claim, now=NOW + timedelta(seconds=2))
        assert begin(four[3], now=NOW + timedelta(seconds=2)) is None
        assert facts_of(four[3]) == UNTOUCHED_BUT_HELD
    finish(claims[2], now=NOW + timedelta(seconds=2))
    assert begin(four[3], now=NOW + timedelta(seconds=2)).plan.key == "free"


def test_a_model_that_the_smaller_plan_does_not_have_is_refused_then(account, settings):
    settings.OPENAI_API_KEY = "sk-scripted"
    build.subscription(account=account, plan="premium")
    *three, large = asked(account, 4, queue="runs.premium")
    large.model = "chat-large"
    large.save(update_fields=["model"])
    claims = [begin(run) for run in three]
    assert begin(large) is None
    build.subscription(account=account, plan="free", now=NOW + timedelta(seconds=1))
    for claim in claims:
        finish(claim, now=NOW + timedelta(seconds=2))
    refused = begin(large, now=NOW + timedelta(seconds=2))
    assert (refused.error_code, refused.refusal["lifted_by"]) == ("not_included", "premium")
    assert ledger_of(large) == []


def test_a_lost_nudge_costs_time_alone(account):
    first, second = asked(account, 2)
    claim = begin(first)
    begin(second)
    finish(claim)
    with_lost_nudge = second.created_at + timedelta(seconds=40)
    assert sweep.nudge_waiting(now=with_lost_nudge) == 1
    assert jobs_in("runs.free") == [second.pk, second.pk]
    assert begin(second).run.pk == second.pk
    assert begin(second) is None


def test_the_sweeper_tries_a_held_one_at_growing_gaps_and_in_vain_it_is_held_again(account):
    first, second = asked(account, 2)
    begin(first)
    begin(second)
    Run.objects.filter(pk=first.pk).update(nudged_at=NOW + timedelta(days=1))
    tried = []
    for seconds in range(0, 200, 5):
        if sweep.nudge_waiting(now=NOW + timedelta(seconds=seconds)):
            tried.append(seconds)
            assert facts_of(second)[-1] == NOW + timedelta(seconds=seconds)
            assert begin(second) is None
            assert facts_of(second) == UNTOUCHED_BUT_HELD
    assert tried == [20, 40, 80, 160]


def test_whoever_calls_the_api_is_refused_at_once_and_pays_nothing(account):
    build.credit(account=account, amount_micro=1_000_000)
    chat, call = build.run(account=account), build.run(account=account, channel="api", request={"model": "chat-small"})
    begin(chat)
    refused = begin(call)
    assert (refused.state, refused.error_code) == ("failed", "too_many_at_once")
    assert (refused.refusal["limit"], refused.refusal["used"]) == (1, 1)
    assert (ledger_of(call), slots_held(account)) == ([], 1)
    assert CreditAccount.objects.get(account=account).reserved_micro == 0


def test_the_end_of_an_api_answer_lines_up_a_question_too(account):
    build.credit(account=account, amount_micro=1_000_000)
    claim = begin(build.run(account=account, channel="api"))
    question = build.run(account=account)
    assert begin(question) is None
    finish(claim)
    assert jobs_in("runs.free") == [question.pk]


def test_held_while_a_smaller_model_was_tried_it_still_wants_the_model_that_was_asked_for(account, small_fallback):
    """Between the two attempts, another run takes the slot."""
    build.spent_messages(account=account, used=20)
    run, attempts = build.run(account=account), []

    def prompt(asking, plan):
        attempts.append(asking.model)
        if asking.model == "chat-tiny":
            demand = Demand(plan, "chat-tiny", {Meter.MESSAGES: 1})
            ledger.reserve(account, uuid4(), demand, timeout_s=60, now=NOW)
        return QUESTION

    assert begin(run, prompt=prompt) is None
    assert attempts == ["chat-small", "chat-tiny"]
    assert facts_of(run) == UNTOUCHED_BUT_HELD
    assert run.model == "chat-small"


# --- the place in line ---


def test_in_line_all_are_counted_that_stood_there_before(account):
    others = [build.account(owner=build.person(email=f"{name}@example.org")) for name in "abc"]
    for seconds, other in enumerate(others, 1):
        build.run(account=other, now=NOW - timedelta(seconds=seconds))
        build.run(account=other, now=NOW + timedelta(seconds=seconds))
        build.run(account=other, now=NOW - timedelta(seconds=seconds), queue="runs.premium")
        build.run(account=other, now=NOW - timedelta(seconds=seconds), state="running")
        build.run(account=other, now=NOW - timedelta(seconds=seconds), in_line_since=None)
    assert places.find_place(build.run(account=account)) == Queued(4, "place")


def test_held_only_own_answers_are_counted(account):
    other = build.account(owner=build.person(email="other@example.org"))
    build.run(account=other, now=NOW - timedelta(seconds=1))
    first, second, third, fourth = asked(account, 4)
    begin(first)
    for run in (second, third, fourth):
        begin(run)
    waiting = [places.find_place(run) for run in (second, third, fourth)]
    assert waiting == [Queued(2, "own_answer"), Queued(3, "own_answer"), Queued(4, "own_answer")]


def test_lined_up_again_it_stands_at_the_end(account):
    first, second = asked(account, 2)
    claim = begin(first)
    begin(second)
    build.run(account=build.account(owner=build.person(email="other@example.org")), now=NOW)
    finish(claim, now=NOW + timedelta(seconds=1))
    second.refresh_from_db()
    assert places.find_place(second) == Queued(2, "place")


@pytest.mark.parametrize("state", ["running", "succeeded", "stopped", "failed"])
def test_what_does_not_wait_has_no_place(account, state):
    assert places.find_place(build.run(account=account, state=state)) is None


@pytest.mark.parametrize("in_line_since", [NOW, None])
def test_looking_costs_one_query(account, in_line_since):
    run = build.run(account=account, in_line_since=in_line_since)
    with CaptureQueriesContext(connection) as captured:
        places.find_place(run)
    assert len(captured) == 1


def test_waiting_for_oneself_is_no_wait_in_the_queue(account):
    def seconds():
        return REGISTRY.get_sample_value("causerie_queue_wait_seconds_sum")

    first, second = asked(account, 2)
    claim = begin(first)
    begin(second)
    finish(claim, now=NOW + timedelta(seconds=60))
    before = seconds()
    gauges.observe(finish(begin(second, now=NOW + timedelta(seconds=62))))
    assert seconds() - before == pytest.approx(2)


def waiting(account, *, queue="runs.free", minutes=0):
    run = build.run(account=account)
    moment = NOW - timedelta(minutes=minutes)
    Run.objects.filter(pk=run.pk).update(queue=queue, in_line_since=moment, nudged_at=moment)
    return run


def test_a_queue_that_does_not_move_takes_no_more(account):
    waiting(account, minutes=2)
    with pytest.raises(Unavailable) as refused:
        places.require_room("runs.free", now=NOW)
    assert (refused.value.code, refused.value.retry_after_s(now=NOW)) == ("overloaded", 30)
    places.require_room("runs.premium", now=NOW)


def test_a_batch_has_time(account):
    waiting(account, queue="runs.batch", minutes=600)
    places.require_room("runs.batch", now=NOW)
    assert not places.too_late(now=NOW).exists()


def test_a_queue_that_moves_takes_everybody(account):
    waiting(account, minutes=0.9)
    places.require_room("runs.free", now=NOW)
