"""The command killed in the middle, as by a power cut of its process, gives what an uninterrupted one gives."""

import os
import signal
import subprocess
import sys
import time

import psycopg
import pytest
from django.conf import settings
from django.db import connection, connections
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from apps.accounts.models import User
from apps.localdev.simulation.checkpoint import Checkpoint
from apps.localdev.simulation.conditions import command_of
from apps.usage.models import UsageLedger
from tests.localdev.simulated import NOW, SMALL, left_behind
from tests.support.product import PASSED_ON, ROOT

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
PATIENCE_S = 120
NAME = f"simulated_{settings.TEST_RUN}_{os.environ.get('PYTEST_XDIST_WORKER', 'gw0')}"


@pytest.fixture
def environment(simulated_stripe, tmp_path):
    """A database of its own, as `prepare_local` makes it, and the local Stripe."""
    simulated_stripe.empty()
    simulated_stripe.shelf = None
    yield {name: os.environ[name] for name in PASSED_ON if name in os.environ} | {
        "DJANGO_SETTINGS_MODULE": "project.settings.local",
        "DATABASE_URL": settings.DATABASE_URL.rpartition("/")[0] + f"/{NAME}",
        "VALKEY_URL": settings.VALKEY_URL,
        "STRIPE_API_BASE": simulated_stripe.base,
        "STRIPE_SECRET_KEY": simulated_stripe.secret_key,
        "STRIPE_WEBHOOK_SECRETS": "whsec_tests",
        "MODEL_BASE_URL": "http://127.0.0.1:9/v1",
        "CAUSERIE_LOCAL_DIR": str(tmp_path),
        "CAUSERIE_LOG_LEVEL": "WARNING",
    }
    simulated_stripe.empty()
    simulated_stripe.shelf = None
    drop_database()


@pytest.fixture
def prepared(environment):
    manage(environment, "prepare_local").check_returncode()
    return environment


def drop_database():
    conninfo = make_conninfo(**{**conninfo_to_dict(settings.DATABASE_URL), "dbname": "postgres"})
    with psycopg.connect(conninfo, autocommit=True) as server:
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(NAME)))


def manage(environment, *words):
    return subprocess.run(
        [sys.executable, "manage.py", *words], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def simulate(environment, workers):
    words = command_of(SMALL).split()[1:]
    return subprocess.Popen(
        [sys.executable, "manage.py", *words, f"--until={NOW.date()}", f"--workers={workers}", "--any-database"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.fixture
def looking():
    """Django's own connection looks into the other database for a while."""
    before = connection.settings_dict["NAME"]
    connections.close_all()
    connection.settings_dict["NAME"] = NAME
    yield
    connections.close_all()
    connection.settings_dict["NAME"] = before


def kill_after(process, answers):
    """Let it come so far, and kill it."""
    deadline = time.monotonic() + PATIENCE_S
    while UsageLedger.objects.count() < answers and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert process.poll() is None, process.stdout.read()
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()


def finish(process):
    said, _nothing = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, said
    return said


@pytest.mark.long
def test_killed_three_times_it_ends_as_if_nothing_had_happened(prepared, looking, tmp_path, simulated_stripe):
    finish(simulate(prepared, 1))
    whole = left_behind()
    assert whole["rows"]["SubscriptionMirror"] > 0
    connections.close_all()
    drop_database()
    simulated_stripe.empty()
    for path in (tmp_path / "simulation").iterdir():
        path.unlink()
    manage(prepared, "prepare_local").check_returncode()

    share = whole["rows"]["UsageLedger"] // 4
    kill_after(simulate(prepared, 1), share)
    kill_after(simulate(prepared, 2), 2 * share)
    kill_after(simulate(prepared, 1), 3 * share)
    said = finish(simulate(prepared, 2))
    assert "The simulation is finished." in said
    assert left_behind() == whole
    assert User.objects.filter(email__startswith=SMALL.prefix).count() == SMALL.accounts
    assert Checkpoint(tmp_path / "simulation").is_finished()


def test_ctrl_c_stops_in_order_and_says_how_to_go_on(prepared, looking):
    running = simulate(prepared, 2)
    deadline = time.monotonic() + PATIENCE_S
    while UsageLedger.objects.count() < 20:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    said, _nothing = running.communicate(timeout=PATIENCE_S)
    assert running.returncode == 130, said
    assert f"Go on with: {command_of(SMALL)}" in said
    assert "Traceback" not in said
