"""The whole product as processes: web, both workers, beat and Stripe sandbox, with a database and Valkey of its own.

The model behind it is `provider`, which a test scripts as everywhere else. The catalogue is the real one, with a Free
plan small enough to be spent in a test.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
import psycopg
import redis
from django.conf import settings
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from apps.localdev import addresses, mailbox, staff, system
from apps.localdev.addresses import Addresses
from apps.localdev.processes import Crashed
from apps.localdev.supervisor import Supervisor
from apps.stripe_sandbox import specification
from tests.support.provider import Provider
from tests.support.stripe import SPEC_FOLDER

ROOT = Path(__file__).resolve().parent.parent.parent
FREE_MESSAGES = 3
LAST_VALKEY = 15  # numbered databases of running products count down from here; the tests' own count up from 0
PATIENCE_S = 20.0
TERMINAL = ("run.finished", "run.stopped", "run.failed")
CODE = re.compile(r"^\s*([A-Z0-9]{3,}-?[A-Z0-9]{3,})\s*$", re.MULTILINE)
# What the processes need of this one's surroundings; the certificates and the proxy are npm's, which builds the pages.
PASSED_ON = (
    "PATH", "HOME", "LANG", "TMPDIR", "STRIPE_SPEC_DIR", "PLAYWRIGHT_BROWSERS_PATH",
    "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "HTTPS_PROXY", "NO_PROXY",
)  # fmt: skip


class Silence:
    """Nobody listens while the product starts."""

    def begin(self, part): ...
    def done(self, part): ...


@dataclass
class Product:
    """A running product. `url` has no slash at its end."""

    folder: Path
    provider: Provider
    environment: dict[str, str]
    addresses: Addresses
    supervisor: Supervisor = field(init=False)
    people: list["Person"] = field(default_factory=list)

    @property
    def url(self):
        return self.addresses.chosen["SITE_URL"]

    @property
    def staff(self):
        """E-mail and password of the local staff account."""
        return staff.remembered(self.folder)

    def start(self):
        parts = system.parts(self.addresses, ROOT)
        self.supervisor = Supervisor(
            parts, logs=self.folder / "logs", environment=self.addresses.environment(self.environment)
        )
        try:
            self.supervisor.start(Silence(), on_started=lambda: None)
        except Crashed as crash:
            raise AssertionError("\n".join([str(crash), *crash.last_lines()])) from None

    def stop(self):
        self.supervisor.stop()

    def require_no_violations(self):
        """Fail where what was asked of Stripe, or answered, was not as Stripe has it."""
        address = f"{self.addresses.chosen['STRIPE_API_BASE']}/_sandbox/api/violations"
        found = httpx.get(address).json()["violations"]
        assert not found, f"against Stripe's own description: {found}"

    def person(self):
        """A browser without a browser: a client that keeps cookies."""
        self.people.append(Person(httpx.Client(base_url=self.url, follow_redirects=False, timeout=PATIENCE_S)))
        return self.people[-1]

    def part_with_people(self):
        """Close what the people of one test left open."""
        while self.people:
            self.people.pop().close()

    def code_for(self, email):
        """The code in the latest mail to someone, as the mailbox has it."""
        return CODE.search(self.wait_for(lambda: self.letter_to(email)).text).group(1)

    def letter_to(self, email):
        return next((letter for letter in mailbox.letters(self.folder / "mail") if letter.to == email), None)

    def rows(self, query, *values):
        """What the product's database says."""
        with psycopg.connect(self.variable("DATABASE_URL")) as connection:
            return connection.execute(query, values).fetchall()

    def variable(self, name):
        """What the processes are told: by us, or as they chose it for themselves."""
        return self.environment.get(name) or self.addresses.chosen[name]

    def run(self, module, *words):
        """Run a module beside the product, with its settings; give what it printed."""
        environment = self.addresses.environment(self.environment)
        command = [sys.executable, "-m", module, *map(str, words)]
        return subprocess.run(command, env=environment, cwd=ROOT, check=True, capture_output=True, text=True).stdout

    def kill(self, name):
        """End one process as a power cut would, and start another in its place."""
        process = self.supervisor.running[name]
        os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        self.supervisor.replace(name)

    def wait_for(self, ask, seconds=PATIENCE_S):
        """Ask until the answer is yes; give the answer."""
        end = time.monotonic() + seconds
        while not (answer := ask()):
            assert time.monotonic() < end, "it did not happen in time"
            time.sleep(0.05)
        return answer


@dataclass
class Person:
    """Someone at a browser: forms carry the token of the page they stand on."""

    http: httpx.Client

    def get(self, path, **options):
        return self.http.get(path, **options)

    def post(self, path, **fields):
        """Send a form of our own pages."""
        return self.http.post(path, data=fields, headers=self._headers())

    def send(self, method, path, body=None):
        """Call our JSON API as the chat page does."""
        return self.http.request(method, path, json=body, headers=self._headers())

    def sign_up(self, product, email, password="correct horse battery"):
        """Become someone: the form, the mail, the code, the chat page."""
        self.get("/accounts/signup/")
        answer = self.post("/accounts/signup/", email=email, password1=password, accept_terms="on")
        assert answer.headers["Location"] == "/accounts/confirm-email/", answer.text
        answer = self.post("/accounts/confirm-email/", code=product.code_for(email))
        assert answer.headers["Location"] == "/chat/", answer.text
        return self

    def sign_in_as_staff(self, product):
        """Become the local staff account, by the admin's own page."""
        self.get("/admin/login/")
        answer = self.post("/admin/login/", username=product.staff["email"], password=product.staff["password"])
        assert answer.status_code == 302, answer.text
        return self

    def ask(self, text, *, conversation=None):
        """Send a message; give what the API said about it and its answer."""
        body = {"conversation_id": None, "parent_id": None, "text": text, "model": None}
        if conversation is not None:
            known = self.get(f"/api/v1/conversations/{conversation}").json()
            body |= {"conversation_id": conversation, "parent_id": known["leaf_id"]}
        return self.send("POST", "/api/v1/messages", body)

    def follow(self, run, *, after=None):
        """The events of an answer as they come, the last one included: (id, name, data)."""
        headers = {"Last-Event-ID": after} if after else {}
        with self.http.stream("GET", run["events_url"], headers=headers) as stream:
            assert stream.status_code == 200
            event = {}
            for line in stream.iter_lines():
                if line:
                    name, _, value = line.partition(": ")
                    event[name] = value
                elif "event" in event:
                    yield event.get("id"), event["event"], json.loads(event["data"])
                    if event["event"] in TERMINAL:
                        return
                    event = {}

    def answered(self, text, *, conversation=None):
        """Ask and wait: the answer's text and its conversation."""
        sent = self.ask(text, conversation=conversation)
        assert sent.status_code == 201, sent.text
        events = list(self.follow(sent.json()["reply"]["run"]))
        assert events[-1][1] == "run.finished", events
        said = "".join(data["text"] for _, name, data in events if name in ("run.delta", "run.snapshot"))
        return said, sent.json()["conversation"]["id"]

    def buy(self, choice):
        """Ask for a plan; give the address of the hosted page where it is paid."""
        self.get("/pricing/")
        answer = self.post("/billing/checkout/", **choice)
        assert answer.status_code == 303, answer.text
        return answer.headers["Location"]

    def _headers(self):
        return {"X-CSRFToken": self.http.cookies.get("csrftoken", ""), "Referer": str(self.http.base_url)}

    def close(self):
        self.http.close()


@contextmanager
def running_alone(name, provider):
    """A product with a Postgres and a Valkey of its own, which a test may end: slower to start."""
    folder = settings.LOCAL_DIR / f"{name}_{settings.TEST_RUN}"
    shutil.rmtree(folder, ignore_errors=True)
    product = build_product(folder, provider, {})
    try:
        product.start()
        yield product
    finally:
        product.stop()
        shutil.rmtree(settings.LOCAL_DIR / "last-logs", ignore_errors=True)
        shutil.move(folder / "logs", settings.LOCAL_DIR / "last-logs")
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def running(name, provider, more=None):
    """A running product of that name, ended and removed afterwards. `provider.url` is where its models are.

    more  settings beside those that every product of the tests has.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    name = f"{name}_{settings.TEST_RUN}_{worker}"
    folder = settings.LOCAL_DIR / name
    shutil.rmtree(folder, ignore_errors=True)  # of a killed run with the same number
    shared = {
        "DATABASE_URL": settings.DATABASE_URL.rpartition("/")[0] + f"/{name}",
        "VALKEY_URL": settings.VALKEY_URL.rpartition("/")[0] + f"/{LAST_VALKEY - worker}",
    }
    product = build_product(folder, provider, {**shared, **(more or {})})
    with redis.Redis.from_url(product.environment["VALKEY_URL"]) as valkey:
        valkey.flushdb()  # what a killed run left
    try:
        product.start()
        yield product
        product.require_no_violations()
    finally:
        product.stop()
        shutil.rmtree(settings.LOCAL_DIR / "last-logs", ignore_errors=True)
        shutil.move(folder / "logs", settings.LOCAL_DIR / "last-logs")
        conninfo = make_conninfo(**{**conninfo_to_dict(settings.DATABASE_URL), "dbname": "postgres"})
        with psycopg.connect(conninfo, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        shutil.rmtree(folder, ignore_errors=True)


def build_product(folder, provider, more):
    """Decide addresses; nothing runs yet."""
    folder.mkdir(parents=True)
    catalogue = folder / "catalogue.toml"
    real = (ROOT / "project" / "catalogue.toml").read_text(encoding="utf-8")
    assert real.count("\namount = 20\n") == 1
    catalogue.write_text(real.replace("\namount = 20\n", f"\namount = {FREE_MESSAGES}\n"), encoding="utf-8")
    environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ} | {
        "DJANGO_SETTINGS_MODULE": "project.settings.local",
        **more,
        "MODEL_BASE_URL": provider.url,
        "CAUSERIE_CATALOGUE": str(catalogue),
        "SANDBOX_CHECK_ANSWERS": "yes" if specification.is_at_hand(SPEC_FOLDER) else "no",
    }
    found = addresses.choose(folder, addresses.port_like(None), given=environment)
    # Not the usual port: two products that start at the same time would both find it free.
    sandbox = f"http://{addresses.LOOPBACK}:{addresses.port_like(None)}"
    found = replace(found, chosen={**found.chosen, "STRIPE_API_BASE": sandbox})
    addresses.write(folder / "env.json", found.chosen)
    return Product(folder=folder, provider=provider, environment=environment, addresses=found)
