"""apps/inference/backends.py: the healthy first, the drained never."""

from datetime import timedelta

import pytest

from apps.inference import backends
from apps.inference.calls import CallError, Server
from apps.inference.models import Backend
from tests import build

pytestmark = pytest.mark.django_db
NOW = build.NOW
ONE, TWO = (Server(key, "openai", "http://127.0.0.1:9", "", "m") for key in ("one", "two"))


def order(*, now=NOW):
    return [server.key for server in backends.candidates([ONE, TWO], now=now)]


def test_servers_come_in_the_catalogues_order():
    assert order() == ["one", "two"]


def test_one_that_failed_lately_is_asked_last_until_it_rested():
    backends.note_failure("one", CallError("server_error", "status 500"), now=NOW)
    assert order(now=NOW + timedelta(seconds=14)) == ["two", "one"]
    assert order(now=NOW + timedelta(seconds=16)) == ["one", "two"]


def test_one_that_answered_since_is_healthy_again():
    backends.note_failure("one", CallError("unreachable"), now=NOW)
    backends.note_ok("one", now=NOW + timedelta(seconds=1))
    assert order(now=NOW + timedelta(seconds=2)) == ["one", "two"]


def test_one_that_staff_drained_is_left_out():
    Backend.objects.create(key="one", is_drained=True)
    assert order() == ["two"]
