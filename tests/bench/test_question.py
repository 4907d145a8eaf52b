"""What one question costs web and worker: `TEST_KEEP_POOL=1 uv run pytest tests/bench/test_question.py -s`.

One after the other, in this process, each from a person who never asked before: the CPU of the process for each, the
load's own client (about 1 ms) and the scripted server included, and what the database is asked. Add `py-spy record
--gil --rate 400 --format raw --pid` to see where it goes.
"""

import asyncio
import time
from importlib import import_module

import httpx
import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.db.backends.utils import CursorWrapper

from apps.accounts.models import User
from apps.chat import prompting, replies
from apps.core import clock
from apps.inference import engine
from apps.inference.models import Run
from project.handler import OneThreadHandler

QUESTIONS, WARMING = 300, 5
SITE = "http://testserver"
BODY = {"conversation_id": None, "parent_id": None, "text": "Count for me.", "model": None}

pytestmark = [
    pytest.mark.bench,
    pytest.mark.django_db(transaction=True),
    pytest.mark.filterwarnings("default"),
]


def session_of(number):
    user = User.objects.create(email=f"bench{number}@example.com", password="not used to sign in")
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY], session[BACKEND_SESSION_KEY] = str(user.pk), settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return session.session_key


async def ask_all(sessions):
    """CPU seconds that these questions took."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(OneThreadHandler())) as client:
        begun = time.process_time()
        for session in sessions:
            headers = {"Cookie": f"sessionid={session}; csrftoken={'a' * 32}", "X-CSRFToken": "a" * 32, "Referer": SITE}
            (await client.post(f"{SITE}/api/v1/messages", json=BODY, headers=headers)).raise_for_status()
        return time.process_time() - begun


def answer_all(runs):
    begun = time.process_time()
    for run in runs:
        engine.execute(run, prompt=prompting.prompt_for, keep=replies.keep, clock=clock.now)
    return time.process_time() - begun


@pytest.fixture
def asked(monkeypatch):
    """What the database is asked, by whatever thread."""
    statements, execute = [], CursorWrapper._execute
    monkeypatch.setattr(
        CursorWrapper, "_execute", lambda self, *facts: statements.append(facts[0]) or execute(self, *facts)
    )
    return statements


def test_what_a_question_costs(provider, asked, capsys):
    sessions = [session_of(number) for number in range(QUESTIONS + WARMING)]
    asyncio.run(ask_all(sessions[:WARMING]))
    asked.clear()
    web_s, web = asyncio.run(ask_all(sessions[WARMING:])), len(asked)
    runs = list(Run.objects.filter(state="queued").order_by("pk").values_list("pk", flat=True))
    answer_all(runs[:WARMING])
    asked.clear()
    worker_s, worker = answer_all(runs[WARMING:]), len(asked)
    engine.stop()
    assert Run.objects.filter(state="succeeded").count() == QUESTIONS + WARMING
    with capsys.disabled():
        for name, spent_s, statements in (("web", web_s, web), ("worker", worker_s, worker)):
            print(f"\n{name}: {spent_s / QUESTIONS * 1000:.1f} ms of CPU, {statements / QUESTIONS:.1f} statements")  # noqa: T201
