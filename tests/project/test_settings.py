"""Each place's settings, loaded by a process of their own with an environment that is whole but for one thing."""

import os
import subprocess
import sys

import pytest

PRODUCTION = {
    "DJANGO_SETTINGS_MODULE": "project.settings.production",
    "SECRET_KEY": "k" * 20 + "9f3a" * 10,
    "DATABASE_URL": "postgresql://app@db.internal/causerie",
    "VALKEY_URL": "redis://valkey.internal:6379/0",
    "SITE_URL": "https://chat.example.org",
    "ALLOWED_HOSTS": "chat.example.org",
    "STRIPE_SECRET_KEY": "sk_live_" + "a" * 24,
    "STRIPE_WEBHOOK_SECRETS": "whsec_" + "a" * 24,
}
LOAD = "from django.conf import settings; settings.SITE_NAME"


def run(*words, environment):
    given = {name: value for name, value in environment.items() if value is not None} | {"PATH": os.environ["PATH"]}
    command = [sys.executable, *words]
    return subprocess.run(command, env=given, capture_output=True, text=True, timeout=60, check=False)


def load(changes, code=LOAD, base=PRODUCTION):
    done = run("-c", code, environment={**base, **changes})
    return done.returncode, (done.stderr.strip().splitlines() or [""])[-1].partition(": ")[2], done


def test_production_starts_when_everything_is_said():
    code, _, done = load({}, "import django; django.setup()")
    assert (code, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"CAUSERIE_DEBUG": "yes"}, "CAUSERIE_DEBUG must be off in production."),
        (
            {"SECRET_KEY": "local-only-not-a-secret-0000000000000000000000000000"},
            "SECRET_KEY must be your own, random and at least 40 characters long.",
        ),
        ({"SECRET_KEY": None}, "SECRET_KEY must be your own, random and at least 40 characters long."),
        ({"DATABASE_URL": None}, "DATABASE_URL is required and not set."),
        ({"VALKEY_URL": None}, "VALKEY_URL is required and not set."),
        ({"SITE_URL": "http://chat.example.org"}, "SITE_URL must begin with https:// in production."),
        (
            {"STRIPE_API_BASE": "http://127.0.0.1:12111"},
            "STRIPE_API_BASE must be https://api.stripe.com in production.",
        ),
        ({"STRIPE_SECRET_KEY": "pk_live_x"}, "STRIPE_SECRET_KEY must be a secret or restricted key of Stripe."),
        ({"STRIPE_WEBHOOK_SECRETS": None}, "STRIPE_WEBHOOK_SECRETS is required and not set."),
        (
            {"CAUSERIE_LOCAL_DIR": "/srv/local"},
            "CAUSERIE_LOCAL_DIR belongs to local settings; production has no local tools.",
        ),
        ({"STRIPE_SECRETKEY": "x"}, "STRIPE_SECRETKEY is not a setting of Causerie. Did you mean STRIPE_SECRET_KEY?"),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, dict) else "",
)
def test_production_refuses_to_start(changes, sentence):
    code, said, _ = load(changes)
    assert (code, said) == (1, sentence)


def test_local_settings_refuse_a_live_key(tmp_path):
    local = {"DJANGO_SETTINGS_MODULE": "project.settings.local", "CAUSERIE_LOCAL_DIR": str(tmp_path)}
    code, said, _ = load({"STRIPE_SECRET_KEY": "sk_live_x"}, base=local)
    assert (code, said) == (1, "STRIPE_SECRET_KEY is a live key. Local settings take test keys only.")


def test_a_command_ends_in_one_sentence_when_a_setting_makes_no_sense():
    done = run("manage.py", "check", environment={**PRODUCTION, "EMAIL_PORT": "many"})
    assert done.returncode == 1
    assert done.stderr == "Causerie cannot start: EMAIL_PORT is “many”; it takes a whole number.\n"
