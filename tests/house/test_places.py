"""Production has neither of the two tools, and Django's own advice for it is followed."""

import json
import os
import re
import subprocess
import sys

import pytest

from tests.house.source import ROOT

PRODUCTION = {
    "PATH": os.environ["PATH"],
    "DJANGO_SETTINGS_MODULE": "project.settings.production",
    "SECRET_KEY": "vF3k-9sJw0q8Zr5LxTt7Yb2NcM4dHgPeRuKaXoQi1-Wm6UzEhCf3Sp7Vn",
    "DATABASE_URL": "postgresql://causerie@127.0.0.1:9/causerie",
    "VALKEY_URL": "redis://127.0.0.1:9/0",
    "SITE_URL": "https://causerie.example",
    "ALLOWED_HOSTS": "causerie.example",
    "STRIPE_SECRET_KEY": "sk_live_0",
    "STRIPE_WEBHOOK_SECRETS": "whsec_0",
}
LEFT_TO_THE_OPERATOR = {"security.W005", "security.W021"}  # whether every subdomain speaks HTTPS only
SHOW = """
import django, json; django.setup()
from django.conf import settings
from django.urls import get_resolver
routes = [str(entry.pattern) for entry in get_resolver().url_patterns]
print(json.dumps([settings.INSTALLED_APPS, settings.DEBUG, settings.LOCAL_TOOLS, routes]))
"""


def run(*words):
    return subprocess.run(
        [sys.executable, *words], cwd=ROOT, env=PRODUCTION, capture_output=True, text=True, timeout=60, check=False
    )


def test_production_has_no_local_tools():
    done = run("-c", SHOW)
    assert done.returncode == 0, done.stderr
    installed, debug, local_tools, routes = json.loads(done.stdout)
    assert {"apps.localdev", "apps.stripe_sandbox"} & set(installed) == set()
    assert (debug, local_tools) == (False, False)
    assert not any(route.startswith("_mail") for route in routes)


def test_production_follows_the_advice_for_deploying():
    done = run("manage.py", "check", "--deploy")
    assert done.returncode == 0, done.stderr
    assert set(re.findall(r"security\.W\d+", done.stderr)) == LEFT_TO_THE_OPERATOR


@pytest.mark.parametrize("command", ["up", "prepare_local", "simulate"])
def test_production_has_no_such_command(command):
    done = run("manage.py", command)
    assert done.returncode != 0
    assert f"Unknown command: '{command}'" in done.stderr
