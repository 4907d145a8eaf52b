"""A small company's life through the real rules, with the local Stripe."""

from datetime import UTC, datetime
from io import StringIO

import pytest
from django.core.management import call_command
from rich.console import Console

from apps.localdev.simulation import summary
from apps.localdev.simulation.checkpoint import Checkpoint
from apps.localdev.simulation.course import Course
from apps.localdev.simulation.parameters import Parameters
from tests.support import shop
from tests.support.stripe import start_sandbox

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SMALL = Parameters(accounts=12, months=2, seed=7, answers=12, until=NOW)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    server = start_sandbox(tmp_path_factory.mktemp("stripe"))
    yield server
    server.stop()


@pytest.fixture
def local_system(transactional_db, sandbox, settings):
    settings.STRIPE_API_BASE, settings.STRIPE_SECRET_KEY = sandbox.base, sandbox.secret_key
    sandbox.empty()
    call_command("catalogue", "apply", "--yes", stdout=shop.Quiet())
    return sandbox


@pytest.fixture
def course(local_system, tmp_path):
    def make(parameters=SMALL, workers=1):
        return Course(parameters, workers, Checkpoint(tmp_path / "simulation"), Console(file=StringIO(), width=120))

    return make


def test_small(course):
    one = course()
    assert one.run(now=NOW)
    print(one.console.file.getvalue())
    print(summary.read(SMALL))
