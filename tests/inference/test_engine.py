"""apps/inference/engine.py against a scripted server, real Postgres and real Valkey."""

import time
from datetime import timedelta

import pytest
from django.db import transaction

from apps.core import ids
from apps.inference import answering, backends, engine, runs
from apps.inference.calls import CallError
from apps.inference.models import Backend, Run
from apps.usage import credits
from apps.usage.models import UsageBucket, UsageLedger, UsageReservation
from tests import build
from tests.support.answers import NOW, events_of, ledger_of, messages_used, notice_of, slots_held, text_of, wait_for
from tests.support.provider import GREETING_TEXT, Drop, Reasoning

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_answer_is_streamed_stored_kept_and_paid(account, course, provider):
    run = course.execute(build.run(account=account))
    assert (run.state, run.text, run.finish_reason, run.backend) == ("succeeded", GREETING_TEXT, "stop", "local")
    assert (run.input_tokens, run.output_tokens, run.provenance) == (10, 6, "reported")
    assert (run.started_at, run.first_token_at, run.ended_at) == (NOW, NOW, NOW)
    assert run.lease_token is None
    assert course.kept == [(run.pk, GREETING_TEXT)]
    assert ledger_of(run) == [("reported", 1, 10, 6, 0, 1)]  # 10 × 0.02 + 6 × 0.06 = 0.56 micro-units, upwards
    assert messages_used(account) == [(0, 1), (0, 1)]
    assert slots_held(account) == 0
    assert text_of(run) == GREETING_TEXT
    assert [kind for kind in events_of(run) if kind != "run.delta"] == ["run.started", "run.finished"]


def test_asks_the_server_for_a_stream_with_usage_and_the_longest_answer(account, course, provider):
    course.execute(build.run(account=account))
    body = provider.requests[0].body
    assert body == {
        "model": "SmolLM2-135M-Instruct",
        "messages": [{"role": "user", "content": "What is the answer?"}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 100,
    }


def test_reasoning_is_kept_apart(account, course, provider):
    provider.answer(Reasoning("Let me think."), "42")
    run = course.execute(build.run(account=account))
    assert (run.text, run.reasoning) == ("42", "Let me think.")
    assert events_of(run) == ["run.started", "run.reasoning", "run.delta", "run.finished"]


def test_an_api_answer_is_paid_from_credit(account, course, provider):
    build.credit(account=account, amount_micro=1000)
    provider.answer("paid", usage=(100, 50))
    run = course.execute(build.run(account=account, channel="api"))
    assert run.state == "succeeded"
    assert ledger_of(run) == [("reported", 0, 100, 50, 13, 5)]  # 100 × 0.05 + 50 × 0.15 = 12.5; 2 + 3 = 5
    account.credit.refresh_from_db()
    assert (account.credit.balance_micro, account.credit.reserved_micro) == (987, 0)
    assert messages_used(account) == []


def test_a_refusal_calls_no_model_and_leaves_no_trace_in_the_ledger(account, course, provider):
    build.spent_messages(account=account, used=20)
    run = course.execute(build.run(account=account))
    assert (run.state, run.error_code) == ("failed", "limit_reached")
    assert (run.refusal["limit"], run.refusal["used"]) == (20, 20)
    assert run.refusal["lifted_by"] == "premium"
    assert provider.requests == []
    assert ledger_of(run) == []
    assert messages_used(account) == [(0, 20)]
    assert slots_held(account) == 0
    assert events_of(run) == ["run.failed"]


def test_without_credit_the_api_is_refused(account, course, provider):
    run = course.execute(build.run(account=account, channel="api"))
    assert (run.state, run.error_code) == ("failed", "credit_spent")
    assert provider.requests == []
    assert slots_held(account) == 0


@pytest.mark.parametrize(
    ("model", "code"), [("nonsense", "model_not_found"), ("chat-large", "model_not_found")], ids=["unknown", "unserved"]
)
def test_a_model_that_nothing_serves_is_refused(account, course, provider, model, code):
    run = course.execute(build.run(account=account, model=model))
    assert (run.state, run.error_code) == ("failed", code)
    assert provider.requests == []
    assert UsageReservation.objects.count() == 0


def test_a_model_that_the_plan_has_not_is_refused_in_the_worker_too(account, course, provider, settings):
    settings.OPENAI_API_KEY, settings.OPENAI_BASE_URL = "sk-scripted", provider.url
    run = course.execute(build.run(account=account, model="chat-large"))
    assert (run.state, run.error_code) == ("failed", "not_included")
    assert run.refusal["lifted_by"] == "premium"
    assert provider.requests == []


def test_two_runs_race_for_the_last_message_and_one_is_answered(account, course, provider):
    build.subscription(account=account, plan="premium")  # several answers at once, 300 messages
    build.spent_messages(account=account, used=299)
    racers = [build.run(account=account) for _ in range(2)]
    gate = provider.gate()
    provider.answer(gate, "one only")
    with course.executing(*racers):
        gate.wait_reached()
        gate.open()
    assert sorted((run.state, run.error_code) for run in racers) == [("failed", "limit_reached"), ("succeeded", "")]
    assert len(provider.requests) == 1
    assert messages_used(account) == [(0, 300), (0, 1)]


def test_f40_a_spent_limit_falls_back_to_a_smaller_model_that_says_so(account, course, provider, small_fallback):
    build.spent_messages(account=account, used=20)
    run = course.execute(build.run(account=account))
    assert (run.state, run.model) == ("succeeded", "chat-tiny")
    assert provider.requests[0].body["model"] == "tiny"
    notice = {name: value for name, value in notice_of(run).items() if value is not None}
    assert notice == {
        "code": "fallback_model",
        "model": "chat-tiny",
        "requested_model": "chat-small",
        "resets_at": "2026-03-02T12:00:00Z",
    }
    assert (run.requested_model, run.refusal["used"]) == ("chat-small", 20)
    buckets = UsageBucket.objects.filter(account=account, meter="messages").order_by("limit_key")
    assert [(b.limit_key, b.settled) for b in buckets] == [("messages:chat-small:3h", 20), ("messages:chat-tiny:3h", 1)]
    assert UsageLedger.objects.get(run_id=run.pk).model == "chat-tiny"


def test_a_fallen_back_answer_that_fails_otherwise_is_no_refusal(account, course, provider, small_fallback):
    build.spent_messages(account=account, used=20)
    provider.refuse(400)
    run = course.execute(build.run(account=account))
    assert (run.model, run.error_code) == ("chat-tiny", "request_refused")
    failed = runs.terminal_event(run)
    assert (failed.code, failed.limit, failed.resets_at) == ("request_refused", None, None)


def test_who_reaches_a_mark_is_told_before_the_last_word(account, course, provider):
    build.spent_messages(account=account, used=15)
    run = course.execute(build.run(account=account))
    assert events_of(run)[-2:] == ["run.notice", "run.finished"]
    notice = {name: value for name, value in notice_of(run).items() if value is not None}
    assert notice == {
        "code": "limit_80",
        "meter": "messages",
        "limit": 20,
        "used": 16,
        "resets_at": "2026-03-02T12:00:00Z",
    }
    assert events_of(course.execute(build.run(account=account)))[-2] == "run.delta"


def test_a_call_beyond_the_persons_own_cap_is_refused_and_no_model_is_called(account, course, provider):
    build.credit(account=account, amount_micro=1_000_000)
    build.cap(account=account, amount_micro=5)
    run = course.execute(build.run(account=account, channel="api"))
    assert (run.state, run.error_code) == ("failed", "spending_cap_reached")
    assert (run.refusal["limit"], run.refusal["used"], run.refusal["lifted_by"]) == (5, 0, "spending_cap")
    assert provider.requests == []
    assert ledger_of(run) == []
    account.credit.refresh_from_db()
    assert (account.credit.balance_micro, account.credit.reserved_micro, slots_held(account)) == (1_000_000, 0, 0)


def test_a_keys_own_cap_counts_what_that_key_spent(account, course, provider):
    build.credit(account=account, amount_micro=1_000_000)
    key, other = ids.uuid7(), ids.uuid7()
    build.cap(account=account, key_id=key, amount_micro=17)
    provider.answer("one", usage=(10, 5))
    first = course.execute(build.run(account=account, channel="api", key_id=key))
    second = course.execute(build.run(account=account, channel="api", key_id=key))
    third = course.execute(build.run(account=account, channel="api", key_id=other))
    assert [(run.state, run.error_code) for run in (first, second, third)] == [
        ("succeeded", ""),
        ("failed", "key_cap_reached"),
        ("succeeded", ""),
    ]
    assert UsageLedger.objects.get(run_id=first.pk).key_id == key


def test_who_bought_credit_has_the_developers_answers_at_once(account, course, provider):
    with transaction.atomic():
        credits.grant(account, "purchase", "test", 1_000_000, "usd", now=NOW)
    calls = [build.run(account=account, channel="api") for _ in range(3)]  # Free writes one at a time
    gates = [provider.gate() for _ in calls]
    for gate in gates:
        provider.answer(gate, "one of three")
    with course.executing(*calls):
        for gate in gates:
            gate.wait_reached()
        for gate in gates:
            gate.open()
    assert [run.state for run in calls] == ["succeeded"] * 3
    assert UsageLedger.objects.filter(kind="settle", plan_key="free").count() == 3


def test_executed_twice_it_is_made_and_paid_once(account, course, provider):
    run = build.run(account=account)
    course.execute(run)
    course.execute(run)
    assert len(provider.requests) == 1
    assert len(ledger_of(run)) == 1
    assert len(course.kept) == 1


def test_a_busy_server_is_tried_again(account, course, provider):
    provider.refuse(429)
    provider.refuse(503)
    run = course.execute(build.run(account=account))
    assert (run.state, run.text) == ("succeeded", GREETING_TEXT)
    assert len(provider.requests) == 3
    row = Backend.objects.get(key="local")
    assert (row.last_ok_at, row.last_failed_at, row.last_error) == (NOW, NOW, "server_error status 503")


def test_after_three_tries_it_fails_and_costs_nothing(account, course, provider):
    for _ in range(4):
        provider.refuse(500)
    run = course.execute(build.run(account=account))
    assert (run.state, run.error_code, run.text) == ("failed", "model_unavailable", "")
    assert len(provider.requests) == 3
    assert ledger_of(run) == [("none", 0, 0, 0, 0, 0)]
    assert messages_used(account) == [(0, 0), (0, 0)]
    assert slots_held(account) == 0


def test_a_server_that_asks_for_long_patience_is_not_tried_again(account, course, provider):
    provider.refuse(429, retry_after_s=60)
    run = course.execute(build.run(account=account))
    assert (run.state, run.error_code) == ("failed", "model_unavailable")
    assert len(provider.requests) == 1


def test_an_unreachable_server_is_passed_over_for_the_next(account, course, provider, two_backends):
    run = course.execute(build.run(account=account))
    assert (run.state, run.backend) == ("succeeded", "spare")
    assert Backend.objects.get(key="local").last_error.startswith("unreachable")
    started = [kind for kind in events_of(run) if kind == "run.started"]
    assert started == ["run.started"]


def test_a_server_that_failed_again_and_again_is_not_asked_by_anybody(account, course, provider):
    for _ in range(backends.TOLERATED):
        backends.note_failure("local", CallError("server_error"), now=NOW)
    run = course.execute(build.run(account=account))
    assert (run.state, run.error_code, provider.requests) == ("failed", "model_unavailable", [])
    later = course.execute(build.run(account=account), clock=lambda: NOW + backends.REST)
    assert (later.state, Backend.objects.get(key="local").failures_in_row) == ("succeeded", 0)


def test_a_full_server_is_waited_for(account, provider, course, one_place):
    gate = provider.gate()
    provider.answer("first", gate, usage=(1, 1))
    build.subscription(account=account, plan="premium")  # several answers at once
    racers = [build.run(account=account) for _ in range(2)]
    with course.executing(*racers):
        gate.wait_reached()
        time.sleep(0.3)
        assert len(provider.requests) == 1
        gate.open()
    assert [run.state for run in racers] == ["succeeded", "succeeded"]
    assert provider.most_at_once == 1


def test_an_answer_costs_what_its_back_end_costs(account, course, provider, dear_spare):
    run = course.execute(build.run(account=account))
    assert run.backend == "spare"
    assert UsageLedger.objects.get(run_id=run.pk, kind="settle").cost_micro == 10 * 7 + 6 * 9


def test_a_drained_server_is_not_asked(account, course, provider):
    Backend.objects.create(key="local", is_drained=True)
    run = course.execute(build.run(account=account))
    assert (run.state, run.error_code) == ("failed", "model_unavailable")
    assert provider.requests == []


def test_a_refused_request_is_not_tried_again(account, course, provider):
    provider.refuse(400)
    run = course.execute(build.run(account=account))
    assert (run.state, run.error_code) == ("failed", "request_refused")
    assert len(provider.requests) == 1


@pytest.mark.parametrize(
    "trouble",
    [
        Drop(),
        b"data: {broken\n\n",
        b'data: {"choices": [{"del',
        b"data: " + b"x" * 10_000_000 + b"\n\n",
        b"\x00\xff\xfe garbage \x80\n\ndata: \xff\n\n",
        b'data: {"error": {"message": "out of memory"}}\n\n',
    ],
    ids=["cut", "broken", "half a frame", "10 MB", "garbage", "error"],
)
def test_trouble_in_the_middle_keeps_the_text_and_pays_what_was_consumed(account, course, provider, trouble):
    gate = provider.gate()
    gate.open()
    provider.answer("Half ", "an ", "answer", gate, trouble, usage=None, finish=None, is_done=False)
    run = course.execute(build.run(account=account))
    assert (run.state, run.error_code, run.text) == ("failed", "answer_cut_off", "Half an answer")
    assert course.kept == [(run.pk, "Half an answer")]
    assert ledger_of(run) == [("estimated", 1, 9, 3, 0, 1)]
    assert len(provider.requests) == 1
    assert events_of(run)[-1] == "run.failed"


def test_f36_without_reported_usage_tokens_are_estimated(account, course, provider):
    provider.answer(*[" word"] * 30, usage=None)
    run = course.execute(build.run(account=account))
    assert (run.state, run.input_tokens, run.output_tokens, run.provenance) == ("succeeded", 9, 30, "estimated")
    assert ledger_of(run)[0][:4] == ("estimated", 1, 9, 30)


def test_f35_a_stopped_answer_pays_for_what_came(account, course, provider):
    gate = provider.gate()
    provider.answer(*[" word"] * 300, gate, "never seen")
    run = build.run(account=account)
    with course.executing(run):
        gate.wait_reached()
        wait_for(lambda: text_of(run) == " word" * 300)
        asked_at = time.monotonic()
        runs.request_stop(Run.objects.get(pk=run.pk), now=NOW)
    assert time.monotonic() - asked_at < 1
    assert (run.state, run.finish_reason, run.output_tokens) == ("stopped", "stopped", 300)
    assert ledger_of(run)[0][:4] == ("estimated", 1, 9, 300)
    assert run.text == " word" * 300
    assert events_of(run)[-1] == "run.stopped"
    wait_for(lambda: len(provider.broken_off) == 1)
    assert slots_held(account) == 0


def test_a_stop_before_the_first_token_costs_nothing(account, course, provider):
    gate = provider.hang()
    run = build.run(account=account)
    with course.executing(run):
        gate.wait_reached()
        runs.request_stop(Run.objects.get(pk=run.pk), now=NOW)
    gate.open()
    assert run.state == "stopped"
    assert ledger_of(run) == [("none", 0, 0, 0, 0, 0)]
    assert messages_used(account) == [(0, 0), (0, 0)]


def test_a_run_stopped_while_it_waits_is_over_at_once(account, course, provider):
    run = build.run(account=account)
    runs.request_stop(run, now=NOW)
    course.execute(run)
    assert run.state == "stopped"
    assert provider.requests == []
    assert events_of(run) == ["run.stopped"]
    assert UsageReservation.objects.count() == 0


def test_text_is_saved_and_the_lease_renewed_while_it_runs(account, course, provider, monkeypatch):
    monkeypatch.setattr(engine, "RENEW_S", 0.05)
    engine.stop()
    gate = provider.gate()
    provider.answer("saved so far", gate, " and the rest")
    run = build.run(account=account)
    later = NOW + timedelta(seconds=5)
    clock = iter([NOW])
    with course.executing(run, clock=lambda: next(clock, later)):
        gate.wait_reached()
        wait_for(lambda: Run.objects.get(pk=run.pk).text == "saved so far")
        assert Run.objects.get(pk=run.pk).lease_until == later + timedelta(seconds=10)
        gate.open()
    engine.stop()
    assert run.text == "saved so far and the rest"


def test_an_answer_that_takes_too_long_is_ended_and_kept(account, course, provider, monkeypatch):
    monkeypatch.setattr(answering, "RUN_TIMEOUT_S", 0.3)
    gate = provider.gate()
    provider.answer("The beginning", gate, " and no end")
    run = course.execute(build.run(account=account))
    gate.open()
    assert (run.state, run.error_code, run.text) == ("failed", "timed_out", "The beginning")
    assert ledger_of(run)[0][:4] == ("estimated", 1, 9, 2)
