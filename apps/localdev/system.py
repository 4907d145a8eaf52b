"""Which parts make the system, in which order they come and go. A part that a variable replaces is not started."""

import http.client
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from apps.localdev import assets, postgres, valkey
from apps.localdev.addresses import LOOPBACK, Addresses
from apps.localdev.processes import Part

PYTHON = sys.executable
CELERY = (PYTHON, "-m", "celery", "-A", "project")
ASK_S = 2.0
WORKERS_PAUSE_S = 0.4
CELLAR, SERVERS, PRODUCT = 0, 1, 2
RUN_QUEUES = "runs.premium,runs.free,runs.batch"
JOB_QUEUES = "default,billing,reports"
# Much used, so that limits are met and plans are bought: some twenty of the people pay.
DEMO_ACCOUNTS, DEMO_MONTHS, DEMO_ANSWERS = 300, 12, 24
OK = 200


def parts(addresses: Addresses, root: Path) -> list[Part]:
    """Everything that is ours to start here, each with what it waits for."""
    found = [*_stores(addresses), *_stand_ins(addresses), *_jobs(root), *_product(addresses)]
    names = {part.name for part in found}
    return [replace(part, after=tuple(name for name in part.after if name in names), folder=root) for part in found]


def _stores(addresses: Addresses) -> Iterator[Part]:
    if addresses.has_own("DATABASE_URL"):
        yield Part(
            name="postgres",
            title="Postgres",
            command=(PYTHON, "-m", "apps.localdev.postgres", str(addresses.folder / "postgres")),
            is_ready=lambda: postgres.answers(addresses.chosen["DATABASE_URL"]),
            floor=CELLAR,
            end_signal=signal.SIGINT,  # Postgres's word for: now, without waiting for clients
        )
    if addresses.has_own("VALKEY_URL"):
        place = (str(addresses.folder / "valkey"), "--port", str(addresses.port_of("VALKEY_URL")))
        yield Part(
            name="valkey",
            title="Valkey",
            command=(PYTHON, "-m", "apps.localdev.valkey", *place),
            is_ready=lambda: valkey.answers(addresses.chosen["VALKEY_URL"]),
            floor=CELLAR,
        )


def _stand_ins(addresses: Addresses) -> Iterator[Part]:
    if addresses.has_own("MODEL_BASE_URL"):
        port = addresses.port_of("MODEL_BASE_URL")
        yield Part(
            name="model",
            title="Language model",
            command=(PYTHON, "-m", "apps.localdev.language_model", "--port", str(port)),
            is_ready=lambda: says_yes(f"http://{LOOPBACK}:{port}/health"),
            floor=SERVERS,
        )
    if addresses.has_own("STRIPE_API_BASE"):
        sandbox = addresses.chosen["STRIPE_API_BASE"]
        yield Part(
            name="stripe_sandbox",
            title="Stripe sandbox",
            command=(PYTHON, "-m", "apps.stripe_sandbox", "--port", str(addresses.port_of("STRIPE_API_BASE"))),
            environment={
                "SANDBOX_DATABASE": str(addresses.folder / "stripe_sandbox.sqlite3"),
                "SANDBOX_WEBHOOK_URL": f"http://{LOOPBACK}:{addresses.web_port}/billing/webhook",
                "SANDBOX_WEBHOOK_SECRET": addresses.chosen["STRIPE_WEBHOOK_SECRETS"],
            },
            is_ready=lambda: says_yes(f"{sandbox}/_sandbox/api/health"),
            floor=SERVERS,
        )


def _jobs(root: Path) -> Iterator[Part]:
    yield Part(
        name="prepare",
        title="Tables, catalogue, staff account",
        command=(PYTHON, str(root / "manage.py"), "prepare_local"),
        after=("postgres", "valkey", "stripe_sandbox"),
    )
    if not assets.is_fresh(root):
        yield Part(name="assets", title="Front end", command=(PYTHON, "-m", "apps.localdev.assets"), patience_s=1.0)


def _product(addresses: Addresses) -> Iterator[Part]:
    site = f"http://{LOOPBACK}:{addresses.web_port}"
    place = ("--host", LOOPBACK, "--port", str(addresses.web_port))
    habits = ("--no-access-log", "--no-server-header", "--timeout-graceful-shutdown", "2")
    yield Part(
        name="web",
        title="Web",
        command=(PYTHON, "-m", "uvicorn", "project.asgi:application", *place, *habits),
        after=("postgres", "assets"),  # it loads while tables are made; its address is told when all is ready
        is_ready=lambda: says_yes(f"{site}/healthz"),
        floor=PRODUCT,
    )
    for name, title, words in (
        ("models", "Model worker", ("worker", "-P", "threads", "-c", "400", "-Q", RUN_QUEUES, "-n", "models@%h")),
        ("jobs", "Job worker", ("worker", "-P", "threads", "-c", "4", "-Q", JOB_QUEUES, "-n", "jobs@%h")),
    ):
        yield Part(
            name=name,
            title=title,
            command=(*CELERY, *words, "--without-gossip", "--without-mingle"),
            after=("prepare",),
            is_ready=lambda: says_yes(f"{site}/readyz"),
            pause_s=WORKERS_PAUSE_S,
            floor=PRODUCT,
        )
    schedule = str(addresses.folder / "beat-schedule")
    yield Part(
        name="beat",
        title="Schedules",
        command=(*CELERY, "beat", "--schedule", schedule, "--pidfile="),
        after=("prepare",),
        is_ready=lambda: True,
        floor=PRODUCT,
    )


def demo(addresses: Addresses, root: Path) -> list[Part]:
    """What a demonstration has besides: a year of a company, played once; afterwards it is there at once."""
    size = ("--accounts", str(DEMO_ACCOUNTS), "--months", str(DEMO_MONTHS), "--answers", str(DEMO_ANSWERS))
    after = tuple(part.name for part in parts(addresses, root) if part.name in ("prepare", "web", "stripe_sandbox"))
    play = (PYTHON, str(root / "manage.py"), "simulate", *size)
    return [Part(name="company", title="A year of a company (minutes, once)", command=play, after=after, folder=root)]


def says_yes(address: str) -> bool:
    """Whether a server on this machine answers 200 at this address."""
    place = urlsplit(address)
    connection = http.client.HTTPConnection(str(place.hostname), place.port, timeout=ASK_S)
    try:
        connection.request("GET", place.path)
        return connection.getresponse().status == OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
