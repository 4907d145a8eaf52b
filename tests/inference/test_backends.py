"""apps/inference/backends.py: who fails again and again rests, one run tries it for all, no drained one is asked."""

from datetime import timedelta

import pytest
from django.db import transaction

from apps.accounts.models import AuditEntry
from apps.inference import backends
from apps.inference.calls import CallError, Server
from apps.inference.models import Backend, BackendTrouble
from tests import build, cast

pytestmark = pytest.mark.django_db
NOW = build.NOW
ONE, TWO = (Server(key, "openai", "http://127.0.0.1:9", "", "m") for key in ("one", "two"))
DOWN = CallError("server_error", "status 500")


def asked(*, after_s=0.0):
    with transaction.atomic():
        found = backends.candidates([ONE, TWO], now=NOW + timedelta(seconds=after_s))
    return [server.key for server in found]


def fail(times, error=DOWN):
    for _ in range(times):
        backends.note_failure("one", error, now=NOW)


def test_all_are_asked_in_the_catalogues_order():
    assert asked() == ["one", "two"]


def test_a_few_failures_are_tolerated():
    fail(backends.TOLERATED - 1)
    assert asked() == ["one", "two"]


def test_who_failed_again_and_again_rests_and_then_one_run_tries_it():
    fail(backends.TOLERATED)
    assert asked(after_s=9) == ["two"]
    assert asked(after_s=10) == ["one", "two"]
    assert asked(after_s=10) == ["two"]
    assert asked(after_s=20) == ["one", "two"]


def test_no_trial_is_taken_by_who_would_ask_another_server_first():
    fail(backends.TOLERATED)
    with transaction.atomic():
        found = backends.candidates([TWO, ONE], now=NOW + backends.REST)
    assert found == (TWO,)
    assert asked(after_s=10) == ["one", "two"]


def test_who_answered_since_is_back():
    fail(backends.TOLERATED)
    backends.note_ok("one", now=NOW)
    assert asked() == ["one", "two"]
    assert Backend.objects.get(key="one").failures_in_row == 0


def test_who_asks_for_patience_rests_so_long_and_needs_no_trial():
    fail(1, CallError("overloaded", retry_after_s=30))
    assert asked(after_s=29) == ["two"]
    assert asked(after_s=30) == asked(after_s=30) == ["one", "two"]


def test_nobody_rests_longer_than_a_minute():
    fail(1, CallError("overloaded", retry_after_s=3600))
    assert asked(after_s=60) == ["one", "two"]


def test_a_bad_request_says_nothing_of_the_server():
    fail(20, CallError("refused", "status 400"))
    fail(20, CallError("missing", "status 404"))
    assert asked() == ["one", "two"]


def test_who_is_up_again_is_tried_before_its_rest_is_over():
    fail(backends.TOLERATED)
    backends.note_probe("one", None, 12, now=NOW + timedelta(seconds=1))
    assert asked(after_s=1) == ["one", "two"]
    assert asked(after_s=1) == ["two"]
    assert Backend.objects.get(key="one").probe_ms == 12


def test_who_does_not_say_that_it_is_up_rests_before_anybody_meets_it():
    for _ in range(backends.TOLERATED):
        backends.note_probe("one", CallError("unreachable", "probe"), 3, now=NOW)
    assert asked() == ["two"]
    assert Backend.objects.get(key="one").probe_ms is None


def test_failures_are_counted_by_minute_and_reason():
    fail(3)
    fail(1, CallError("timed_out"))
    backends.note_failure("one", DOWN, now=NOW + timedelta(minutes=1))
    rows = BackendTrouble.objects.order_by("starts_at", "reason").values_list("reason", "calls")
    assert list(rows) == [("server_error", 3), ("timed_out", 1), ("server_error", 1)]


def test_the_drained_are_left_out_until_they_are_resumed():
    staff = cast.ana()
    with transaction.atomic():
        backends.drain("one", by=staff, now=NOW)
    assert asked() == ["two"]
    with transaction.atomic():
        backends.resume("one", by=staff, now=NOW)
    assert asked() == ["one", "two"]
    acts = AuditEntry.objects.order_by("pk").values_list("action", "details")
    assert list(acts) == [("backend.drained", {"backend": "one"}), ("backend.resumed", {"backend": "one"})]
