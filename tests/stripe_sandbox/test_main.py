"""Starting and ending the process, and when it refuses."""

import os
import signal
import socket
import subprocess
import sys

import pytest

from tests.support.stripe import ROOT, free_port, start_sandbox


def run(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "apps.stripe_sandbox", *arguments],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"} | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "environment", "words"),
    [
        (
            [],
            {"DJANGO_SETTINGS_MODULE": "project.settings.production"},
            "DJANGO_SETTINGS_MODULE is project.settings.prod",
        ),
        ([], {"STRIPE_SECRET_KEY": "sk_live_abc"}, "STRIPE_SECRET_KEY is a live key"),
        ([], {"STRIPE_SECRET_KEY": "rk_live_abc"}, "STRIPE_SECRET_KEY is a live key"),
        (["--host", "::"], {}, "listens on 127.0.0.1 only, not on ::"),
        ([], {"SANDBOX_CHECK_ANSWERS": "yes", "STRIPE_SPEC_DIR": "/nowhere"}, "needs Stripe's description in /nowhere"),
        (["--host", "0.0.0.0"], {}, "listens on 127.0.0.1 only, not on 0.0.0.0"),
        ([], {"SANDBOX_WEATHER": "sunny"}, "SANDBOX_WEATHER is “sunny”"),
        ([], {"SANDBOX_WEBHOOK_URL": "http://127.0.0.1:1/"}, "belong together"),
        (
            [],
            {"SANDBOX_WEBHOOK_URL": "https://example.com/", "SANDBOX_WEBHOOK_SECRET": "whsec_a"},
            "delivers to this machine only",
        ),
    ],
)
def test_refuses_in_one_line(tmp_path, arguments, environment, words):
    environment = {"SANDBOX_DATABASE": str(tmp_path / "x.sqlite3"), **environment}
    ended = run("--port", str(free_port()), *arguments, **environment)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.count("\n") == 1
    assert words in ended.stderr


def test_says_when_the_port_is_taken(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        ended = run("--port", port, SANDBOX_DATABASE=str(tmp_path / "x.sqlite3"))
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"The Stripe sandbox cannot start: Port {port} is taken; choose another with --port")


def test_keeps_its_data_prints_its_seed_and_ends_on_sigterm(tmp_path):
    first = start_sandbox(tmp_path, seed="41", webhook_url="http://127.0.0.1:9/hook")
    first.call("POST", "/v1/customers", {"name": "Ana"})
    assert "SANDBOX_SEED=41" in first.log.read_text()
    first.process.send_signal(signal.SIGTERM)
    assert first.process.wait(timeout=10) == 0
    first.http.close()
    second = start_sandbox(tmp_path, seed="41", webhook_url="http://127.0.0.1:9/hook")
    second.call("POST", "/v1/customers", {"name": "Ben"})
    try:
        customers = second.objects("customer")
        endpoints = second.objects("webhook_endpoint")
    finally:
        second.stop()
    assert [customer["name"] for customer in customers] == ["Ben", "Ana"]
    assert len({customer["id"] for customer in customers}) == 2
    assert [endpoint["url"] for endpoint in endpoints] == ["http://127.0.0.1:9/hook"]


def test_the_same_seed_gives_the_same_ids(tmp_path):
    keys = []
    for name in ("a", "b"):
        sandbox = start_sandbox(tmp_path / name, seed="41")
        keys.append(sandbox.call("POST", "/v1/customers", {"name": "Ana"}).json()["id"])
        sandbox.stop()
    assert keys[0] == keys[1]


def test_says_once_why_nothing_is_judged(tmp_path, monkeypatch):
    monkeypatch.setattr("tests.support.stripe.SPEC_FOLDER", tmp_path)
    sandbox = start_sandbox(tmp_path)
    answer = sandbox.call("POST", "/v1/customers", {"name": "Ana"})
    sandbox.stop()
    assert answer.status_code == 200
    assert sandbox.log.read_text().count("Calls and answers are not judged") == 1
