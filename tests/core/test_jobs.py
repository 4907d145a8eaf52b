import json
import logging
import socket

import pytest
import redis
from celery import current_app
from django.conf import settings
from django.db import transaction

from apps.core import jobs

pytestmark = pytest.mark.django_db(transaction=True)
QUEUE = "test-jobs"


@pytest.fixture
def broker():
    valkey = redis.Redis.from_url(settings.VALKEY_URL)
    valkey.delete(QUEUE)
    yield valkey
    valkey.delete(QUEUE)
    valkey.close()


def sent(broker):
    return [json.loads(message)["headers"]["task"] for message in broker.lrange(QUEUE, 0, -1)]


def test_a_nudge_is_sent_after_the_commit_and_not_before(broker):
    with transaction.atomic():
        jobs.enqueue("chat.answer_message", "01", queue=QUEUE)
        assert sent(broker) == []
    assert sent(broker) == ["chat.answer_message"]


def test_a_rolled_back_act_sends_nothing(broker):
    with transaction.atomic():
        jobs.enqueue("chat.answer_message", "01", queue=QUEUE)
        transaction.set_rollback(True)
    assert sent(broker) == []


def test_ids_travel_as_they_are(broker):
    with transaction.atomic():
        jobs.enqueue("billing.sync_customer", "a", "b", queue=QUEUE)
    (message,) = broker.lrange(QUEUE, 0, -1)
    assert json.loads(message)["headers"]["argsrepr"] == "('a', 'b')"


def test_a_broker_that_is_away_costs_a_log_line_only(caplog, monkeypatch):
    monkeypatch.setattr(current_app.conf, "broker_url", "redis://127.0.0.1:9/0")
    monkeypatch.setattr(current_app, "_pool", None)
    monkeypatch.setattr(current_app.amqp, "_producer_pool", None)
    with caplog.at_level(logging.WARNING), transaction.atomic():
        jobs.enqueue("chat.answer_message", "01", queue=QUEUE)
    assert any("job.not_sent" in record.getMessage() for record in caplog.records)


def test_a_broker_that_hangs_costs_no_more(caplog, monkeypatch):
    monkeypatch.setitem(current_app.conf, "broker_transport_options", {**patience(), "socket_timeout": 0.2})
    monkeypatch.setattr(current_app, "_pool", None)
    monkeypatch.setattr(current_app.amqp, "_producer_pool", None)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts, and never says a word
        monkeypatch.setattr(current_app.conf, "broker_url", f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        with caplog.at_level(logging.WARNING), transaction.atomic():
            jobs.enqueue("chat.answer_message", "01", queue=QUEUE)
    assert any("job.not_sent" in record.getMessage() for record in caplog.records)


def patience():
    """How long the product waits for its broker; without a bound a request would wait for ever."""
    options = settings.CELERY_BROKER_TRANSPORT_OPTIONS
    assert 0 < options["socket_connect_timeout"] <= options["socket_timeout"] <= 10
    return options
