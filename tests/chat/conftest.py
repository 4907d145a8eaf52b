"""People at the doors of the chat, and a run that is executed as its task would."""

import pytest

from apps.chat import prompting, replies
from apps.inference import engine
from tests import build, cast


@pytest.fixture(autouse=True, scope="session")
def end_the_engine():
    """Its connections do not outlive the Valkey of the tests."""
    yield
    engine.stop()


@pytest.fixture
def ana():
    return cast.ana()


@pytest.fixture
def mallory():
    return cast.mallory()


@pytest.fixture
def at_anas(client, ana):
    client.force_login(ana)
    return client


@pytest.fixture
def answer(provider):
    """Make the answer of a run now, as the worker's task does."""

    def answer(run):
        engine.execute(run.pk, prompt=prompting.prompt_for, keep=replies.keep, clock=lambda: build.NOW)
        run.refresh_from_db()
        return run

    return answer
