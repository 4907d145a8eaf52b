"""Starts the local Stripe as a process of its own, empties it, and drives its deliveries step by step."""

import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parent.parent.parent
SPEC_FOLDER = Path(os.environ.get("STRIPE_SPEC_DIR", ROOT.parent / "shared" / "data" / "stripe"))
START_S = 60
WEBHOOK_SECRET = "whsec_tests"


@dataclass
class Sandbox:
    """A running sandbox. `base` is what the product calls STRIPE_API_BASE."""

    base: str
    secret_key: str
    webhook_secrets: list[str]
    process: subprocess.Popen
    log: Path
    http: httpx.Client = field(repr=False)

    def empty(self):
        """Forget everything but the endpoint named at start, but first tell of calls and answers that were wrong."""
        self.require_no_violations()
        self._ask("POST", "reset", {})

    def deliver(self, limit=None):
        """Attempt every waiting letter once; give [{event, type, endpoint, state, answer_status, …}]."""
        return self._ask("POST", "deliver", {} if limit is None else {"limit": limit})["deliveries"]

    def deliver_all(self, rounds=20):
        """Deliver until nothing is left to deliver, also what deliveries themselves cause."""
        done = []
        for _ in range(rounds):
            letters = self.deliver()
            if not letters:
                return done
            done += letters
        raise AssertionError(f"letters keep coming back: {done[-1]}")

    def fault(self, kind, *, count=1, match="", **params):
        """Arm a fault, for example `fault("http_500", match="/v1/checkout/sessions")`."""
        return self._ask("POST", "faults", {"kind": kind, "count": count, "match": match, "params": params})

    def objects(self, kind):
        """List what is kept of one kind ("subscription", "charge", …), newest first."""
        return self._ask("GET", f"objects/{kind}")["objects"]

    def health(self):
        """Give the seed, the weather, and how many calls with an idempotency key are under way."""
        return self._ask("GET", "health")

    def violations(self):
        """List what Stripe's own description forbids in what was asked and sent so far."""
        return self._ask("GET", "violations")["violations"]

    def require_no_violations(self):
        """Fail where a call or an answer was not as Stripe has it, even if the product swallowed the refusal."""
        found = self.violations()
        if found:
            self._ask("DELETE", "violations", {})
        assert not found, f"against Stripe's own description: {found}"

    def forgive_calls(self):
        """Forget what was asked wrongly, for tests that do so on purpose; give it. What was sent stays."""
        return self._ask("DELETE", "violations?side=asked", {})["forgotten"]

    def thin_endpoint(self, url, *, enabled_events=("*",)):
        """Register an address on this machine for the thin form of events; give it with its signing secret."""
        answer = self.http.post(
            "/v2/core/event_destinations",
            json={
                "name": "thin",
                "type": "webhook_endpoint",
                "event_payload": "thin",
                "enabled_events": list(enabled_events),
                "webhook_endpoint": {"url": url},
                "include": ["webhook_endpoint.signing_secret", "webhook_endpoint.url"],
            },
            headers={"Authorization": f"Bearer {self.secret_key}"},
        )
        assert answer.is_success, answer.text
        return answer.json()

    def call(self, method, path, data=None):
        """Call the API without the official client; `data` are form fields such as {"items[0][price]": …}."""
        return self.http.request(
            method, path, data=data, headers={"Authorization": f"Bearer {self.secret_key}"}, follow_redirects=False
        )

    def stop(self):
        """End the process and wait for it; fail where a call or an answer was not as Stripe has it."""
        try:
            if self.process.poll() is None and not self.http.is_closed:
                self.require_no_violations()
        finally:
            self._end()

    def _end(self):
        self.http.close()
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def _ask(self, method, path, body=None):
        answer = self.http.request(method, f"/_sandbox/api/{path}", json=body)
        assert answer.is_success, answer.text
        return answer.json()


def start_sandbox(directory, *, weather="calm", seed="1", delivers=False, webhook_url="", tax_percent="0"):
    """Start a sandbox whose files are in `directory`.

    delivers     false: webhooks wait for `deliver()`; true: they go out by themselves, as the weather is.
    tax_percent  what `automatic_tax` adds to prices.
    webhook_url  an endpoint on this machine that is registered from the start, with `WEBHOOK_SECRET`.
    """
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SANDBOX_")} | {
        "DJANGO_SETTINGS_MODULE": "apps.stripe_sandbox.settings",
        "SANDBOX_DATABASE": str(directory / "stripe_sandbox.sqlite3"),
        "SANDBOX_WEATHER": weather,
        "SANDBOX_SEED": seed,
        "SANDBOX_TAX_PERCENT": tax_percent,
        "SANDBOX_DELIVERY": "automatic" if delivers else "manual",
        "SANDBOX_CHECK_ANSWERS": "yes" if (SPEC_FOLDER / "spec3.pruned.json").is_file() else "no",
        "STRIPE_SPEC_DIR": str(SPEC_FOLDER),
        **({"SANDBOX_WEBHOOK_URL": webhook_url, "SANDBOX_WEBHOOK_SECRET": WEBHOOK_SECRET} if webhook_url else {}),
    }
    log = directory / "stripe_sandbox.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "apps.stripe_sandbox", "--port", str(port)],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    base = f"http://127.0.0.1:{port}"
    sandbox = Sandbox(
        base,
        "sk_test_sandbox",
        [WEBHOOK_SECRET] if webhook_url else [],
        process,
        log,
        httpx.Client(base_url=base, verify=False, timeout=30),
    )
    _wait_for(sandbox)
    return sandbox


def free_port():
    """Find a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_for(sandbox):
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if sandbox.process.poll() is not None:
            break
        try:
            sandbox.http.get("/_sandbox/api/health").raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.05)
        else:
            return
    sandbox._end()
    raise RuntimeError(f"the sandbox did not start:\n{sandbox.log.read_text()}")
