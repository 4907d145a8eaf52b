"""apps/inference/continuing.py: a worker was lost in the middle of an answer, and another goes on with it."""

from pathlib import Path

import pytest
from redis import Redis

from apps.inference import continuing, relay
from apps.inference.calls import Prompt, Server
from apps.inference.continuing import Begun
from apps.inference.events import Delta, Reasoning, Restarted, Snapshot
from apps.inference.models import Run
from apps.inference.providers.anthropic.client import request_body as anthropic_body
from apps.inference.providers.openai.client import request_body as openai_body
from apps.inference.relay import Entry
from tests import build
from tests.support.answers import QUESTION, events_of, ledger_of, messages_used
from tests.support.provider import GREETING_TEXT, Drop
from tests.support.provider import Reasoning as Thinking

pytestmark = pytest.mark.django_db(transaction=True)
ASKED = {"role": "user", "content": "What is the answer?"}
BEGUN = Begun("one two", "", 2)


@pytest.fixture
def server_that_begins_anew(settings, tmp_path):
    catalogue = Path(settings.CATALOGUE_PATH).read_text(encoding="utf-8")
    settings.CATALOGUE_PATH = tmp_path / "catalogue.toml"
    settings.CATALOGUE_PATH.write_text(catalogue.replace('continues = "final_message"\n', ""), encoding="utf-8")


def lose_worker(run, course, provider, *steps):
    """Let a first worker write this much, and lose it."""
    gate = provider.gate()
    provider.answer(*steps, gate, Drop())
    with course.executing(run):
        gate.wait_reached()
        Run.objects.filter(pk=run.pk).update(state="queued", lease_token=None)  # as the sweeper does
        gate.open()
    provider.requests.clear()


def server(continues="", key="far"):
    return Server(key, "openai", "http://far/v1", "", "m", continues=continues)


def test_another_worker_goes_on_where_the_first_was_read(account, course, provider):
    run = build.run(account=account)
    lose_worker(run, course, provider, "Once ", "upon ")
    provider.answer(" a time.", usage=(99, 3))
    course.execute(run)
    assert (run.state, run.text, run.attempts) == ("succeeded", "Once upon a time.", 2)
    (asked,) = provider.requests
    assert asked.body["messages"] == [ASKED, {"role": "assistant", "content": "Once upon"}]
    assert asked.body["max_tokens"] == 98
    events = events_of(run)
    assert "run.restarted" not in events
    assert events[-4:] == ["run.snapshot", "run.started", "run.delta", "run.finished"]
    assert course.kept == [(run.pk, "Once upon a time.")]


def test_it_is_charged_once_as_if_one_call_had_made_it(account, course, provider):
    run = build.run(account=account)
    lose_worker(run, course, provider, "Once ", "upon ")
    provider.answer(" a time.", usage=(99, 3))
    course.execute(run)
    assert ledger_of(run) == [("estimated", 1, 9, 5, 0, 1)]
    assert messages_used(account) == [(0, 1), (0, 1)]


def test_a_server_that_cannot_go_on_begins_anew(account, course, provider, server_that_begins_anew):
    run = build.run(account=account)
    lose_worker(run, course, provider, "Once ", "upon ")
    course.execute(run)
    assert (run.state, run.text) == ("succeeded", GREETING_TEXT)
    assert provider.requests[0].body["messages"] == [ASKED]
    assert "run.restarted" in events_of(run)
    assert ledger_of(run) == [("reported", 1, 10, 6, 0, 1)]


def test_thinking_alone_is_begun_anew(account, course, provider):
    run = build.run(account=account)
    lose_worker(run, course, provider, Thinking("Hm."))
    course.execute(run)
    assert (run.text, run.reasoning) == (GREETING_TEXT, "")
    assert provider.requests[0].body["messages"] == [ASKED]


def test_what_valkey_lost_is_taken_from_the_row(account, course, provider, settings):
    run = build.run(account=account, attempts=1, text="One upon ")
    with Redis.from_url(settings.VALKEY_URL) as valkey:
        valkey.delete(relay.log_key(run.pk))
    provider.answer(" a time.")
    course.execute(run)
    assert run.text == "One upon a time."


def test_when_no_server_answers_what_was_saved_stays_and_is_charged(account, course, provider, settings):
    run = build.run(account=account, attempts=1, text="What was saved")
    settings.MODEL_BASE_URL = "http://127.0.0.1:9/v1"
    course.execute(run)
    assert (run.state, run.error_code, run.text) == ("failed", "model_unavailable", "What was saved")
    assert ledger_of(run) == [("estimated", 1, 9, 3, 0, 1)]


def test_servers_that_can_go_on_come_first():
    anew, goes_on = server(), server("final_message", "near")
    assert continuing.in_order([anew, goes_on], BEGUN) == (goes_on, anew)
    assert continuing.in_order([anew, goes_on], continuing.NOTHING) == (anew, goes_on)
    assert continuing.in_order([anew, goes_on], Begun("", "only a thought", 0)) == (anew, goes_on)


def test_each_kind_of_server_is_asked_in_its_own_way():
    last = {"role": "assistant", "content": "one two"}
    for continues, told in (("final_message", None), ("continue_final_message", True)):
        asked = openai_body(server(continues), continuing.prompt_for(server(continues), QUESTION, BEGUN))
        assert asked["messages"] == (ASKED, last)
        assert asked.get("continue_final_message") is told
        assert asked.get("add_generation_prompt") == (False if told else None)
    asked = anthropic_body(server("final_message"), continuing.prompt_for(server("final_message"), QUESTION, BEGUN))
    assert asked["messages"] == [ASKED, last]


def test_a_prompt_whose_room_is_used_up_asks_for_one_token():
    asked = continuing.prompt_for(server("final_message"), Prompt((ASKED,), 2), BEGUN)
    assert asked.max_output_tokens == 1


def test_events_add_up_as_a_follower_reads_them():
    events = [
        Reasoning(text="Hm."),
        Delta(text="lost"),
        Restarted(),
        Delta(text="a"),
        Snapshot(text="whole", reasoning="why"),
        Delta(text=" and more"),
    ]
    assert continuing.fold(map(Entry.of, events)) == ("whole and more", "why")
