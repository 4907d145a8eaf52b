"""Who leaves a chat stops nothing: the answer costs what it costs, whenever they left."""

import asyncio
import threading
from contextlib import aclosing

import pytest
from django.db import connections

from apps.inference import engine, following, readers
from apps.usage.models import UsageLedger
from tests import build
from tests.support.answers import NOW, QUESTION

pytestmark = pytest.mark.django_db(transaction=True)
WORDS = (" word",) * 40
FIELDS = "provenance", "messages", "input_tokens", "output_tokens", "price_micro", "cost_micro", "credit_micro"


@pytest.fixture
def account():
    account = build.account()
    build.subscription(account=account)  # enough messages for all of these
    return account


def make(run):
    engine.execute(run.pk, prompt=lambda _run, _plan: QUESTION, keep=lambda _run, _completion: None, clock=lambda: NOW)
    connections.close_all()


async def read_and_leave(run, text):
    """Follow a run until this much of it came, then go."""
    heard = ""
    try:
        async with asyncio.timeout(10), aclosing(following.follow(run, heartbeat_s=0.02)) as entries:
            async for entry in entries:
                heard += entry.data["text"] if entry is not None and entry.kind == "run.delta" else ""
                if heard == text:
                    return
    finally:
        await readers.close()


def booked(run):
    return list(UsageLedger.objects.filter(run_id=run.pk).values_list(*FIELDS))


@pytest.mark.parametrize("percent", range(0, 100, 5))
def test_an_answer_whose_reader_left_costs_what_it_costs(account, provider, percent):
    provider.answer(*WORDS, usage=None)
    read_to_the_end = build.run(account=account)
    make(read_to_the_end)
    assert booked(read_to_the_end) == [("estimated", 1, 9, 40, 0, 3, 0)]  # 9 × 0.02 + 40 × 0.06 = 2.58, upwards

    gate, heard = provider.gate(), len(WORDS) * percent // 100
    provider.answer(*WORDS[:heard], gate, *WORDS[heard:], usage=None)
    run = build.run(account=account)
    making = threading.Thread(target=make, args=(run,))
    making.start()
    gate.wait_reached()
    run.refresh_from_db()
    asyncio.run(read_and_leave(run, "".join(WORDS[:heard])))
    gate.open()
    making.join()
    run.refresh_from_db()
    assert (run.state, run.text) == ("succeeded", "".join(WORDS))
    assert booked(run) == booked(read_to_the_end)
    assert provider.broken_off == []
