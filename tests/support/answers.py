"""Runs in tests: made by the engine as a task does, and what they left in log, ledger and buckets."""

import base64
import json
import threading
import time
from contextlib import contextmanager
from uuid import UUID

from celery import current_app
from django.conf import settings
from redis import Redis

from apps.inference import engine, relay
from apps.inference.calls import Prompt
from apps.usage.models import UsageBucket, UsageLedger
from tests import build

NOW = build.NOW
QUESTION = Prompt(({"role": "user", "content": "What is the answer?"},), max_output_tokens=100)


class Course:
    """Executes runs, and remembers what was kept."""

    def __init__(self):
        self.kept = []

    def execute(self, run, *, clock=lambda: NOW):
        engine.execute(run.pk, prompt=lambda _run, _plan: QUESTION, keep=self.keep, clock=clock)
        run.refresh_from_db()
        return run

    @contextmanager
    def executing(self, *racing, clock=lambda: NOW):
        """The runs are being made while the block runs, and are over after it."""
        facts = {"prompt": lambda _run, _plan: QUESTION, "keep": self.keep, "clock": clock}
        threads = [threading.Thread(target=engine.execute, args=(run.pk,), kwargs=facts) for run in racing]
        for thread in threads:
            thread.start()
        yield
        for thread in threads:
            thread.join()
        for run in racing:
            run.refresh_from_db()

    def keep(self, run, completion):
        self.kept.append((run.pk, completion.text))


def events_of(run):
    with Redis.from_url(settings.VALKEY_URL) as client:
        return [fields[b"k"].decode() for _id, fields in client.xrange(relay.log_key(run.pk))]


def notice_of(run):
    with Redis.from_url(settings.VALKEY_URL) as client:
        rows = client.xrange(relay.log_key(run.pk))
    return next(relay.Entry(None, "", f[b"d"]).data for _id, f in rows if f[b"k"] == b"run.notice")


def text_of(run):
    with Redis.from_url(settings.VALKEY_URL) as client:
        rows = client.xrange(relay.log_key(run.pk))
    entries = [relay.Entry(None, fields[b"k"].decode(), fields[b"d"]) for _id, fields in rows]
    return "".join(entry.data["text"] for entry in entries if entry.kind == "run.delta")


def ledger_of(run):
    fields = "provenance", "messages", "input_tokens", "output_tokens", "price_micro", "cost_micro"
    return list(UsageLedger.objects.filter(run_id=run.pk).values_list(*fields))


def messages_used(account):
    """What is set aside and what is used of each window, the three hours before the week."""
    buckets = UsageBucket.objects.filter(account=account, meter="messages").order_by("limit_key")
    return list(buckets.values_list("reserved", "settled"))


def slots_held(account):
    return sum(UsageBucket.objects.filter(account=account, meter="concurrency").values_list("reserved", flat=True))


def jobs_in(queue):
    """The runs that jobs in a queue are for, in the order in which a worker gets them."""
    with current_app.connection_for_read() as connection:
        rows = connection.default_channel.client.lrange(queue, 0, -1)
    bodies = [json.loads(base64.b64decode(json.loads(row)["body"])) for row in reversed(rows)]
    return [UUID(arguments[0]) for arguments, _named, _embed in bodies]


def wait_for(condition, timeout_s=5.0):
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it never became true"
        time.sleep(0.01)
