"""Ports, addresses and local secrets: chosen at the first start, remembered in `.local/env.json`, never sent anywhere.

`env.json` holds variables that other commands read (`project.settings.local`); what the environment gives is not copied
there, so a real key never reaches the disk. `up.json` tells scripts what is running.
"""

import json
import os
import secrets
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from apps.localdev import postgres

LOOPBACK = "127.0.0.1"
USUAL_WEB_PORT = 8000
USUAL_SANDBOX_PORT = 12111
DATABASE = "causerie"


@dataclass(frozen=True)
class Addresses:
    """Where each part listens. `chosen` is what we decided; what a person set in the environment is not in it."""

    folder: Path
    web_port: int
    chosen: Mapping[str, str]

    def has_own(self, variable: str) -> bool:
        """Whether the part behind a variable is ours to start."""
        return variable in self.chosen

    def port_of(self, variable: str) -> int:
        """The port inside a chosen address."""
        port = urlsplit(self.chosen[variable]).port
        assert port is not None  # noqa: S101 every address chosen below has one
        return port

    def environment(self, given: Mapping[str, str]) -> dict[str, str]:
        """What every part is started with."""
        return {**given, **self.chosen, "CAUSERIE_LOCAL_DIR": str(self.folder)}

    def to_show(self, given: Mapping[str, str]) -> dict[str, str]:
        """The addresses a person may want to open."""
        site = self.chosen.get("SITE_URL") or given["SITE_URL"]
        shown = {
            "site": f"{site}/",
            "mailbox": f"{site}/_mail/",
            "admin": f"{site}/admin/",
            "reports": f"{site}/admin/reports/",
            "api": f"{site}/v1",
            "model": self.chosen.get("MODEL_BASE_URL") or given.get("MODEL_BASE_URL", ""),
        }
        if "STRIPE_API_BASE" in self.chosen:
            shown["stripe_sandbox"] = f"{self.chosen['STRIPE_API_BASE']}/_sandbox"
        return shown


def choose(folder: Path, web_port: int, *, given: Mapping[str, str]) -> Addresses:
    """Decide where everything listens; what was decided before is kept as long as its port is free.

    Raises  ImproperlyConfigured: the port asked for is taken.
    """
    if not is_free(web_port):
        raise ImproperlyConfigured(
            f"port {web_port} is taken by another program. Choose one with: manage.py up --port {web_port + 1}"
        )
    before = read(folder / "env.json")
    offers: dict[str, Callable[[], str]] = {
        "SECRET_KEY": lambda: "local-" + secrets.token_urlsafe(48),
        "SITE_URL": lambda: f"http://{LOOPBACK}:{web_port}",
        "DATABASE_URL": lambda: postgres.socket_url(folder / "postgres", DATABASE),
        "VALKEY_URL": lambda: f"redis://{LOOPBACK}:{port_like(before.get('VALKEY_URL'))}/0",
        "MODEL_BASE_URL": lambda: f"http://{LOOPBACK}:{port_like(before.get('MODEL_BASE_URL'))}/v1",
        "STRIPE_SECRET_KEY": lambda: "sk_test_" + secrets.token_hex(16),
    }
    chosen = {name: offer() for name, offer in offers.items() if not _is_given(name, given)}
    kept = {name: before[name] for name in ("SECRET_KEY", "STRIPE_SECRET_KEY") if name in before and name in chosen}
    chosen |= kept | _partners(chosen, before)
    return Addresses(folder=folder, web_port=web_port, chosen=chosen)


def _partners(chosen: Mapping[str, str], before: Mapping[str, str]) -> dict[str, str]:
    """What belongs to a part that is ours: the model server's key, the sandbox's address and signature."""
    found: dict[str, str] = {}
    if "MODEL_BASE_URL" in chosen:
        found["MODEL_API_KEY"] = before.get("MODEL_API_KEY") or secrets.token_urlsafe(24)
    if "STRIPE_SECRET_KEY" in chosen:
        port = port_like(before.get("STRIPE_API_BASE"), usual=USUAL_SANDBOX_PORT)
        found["STRIPE_API_BASE"] = f"http://{LOOPBACK}:{port}"
        found["STRIPE_WEBHOOK_SECRETS"] = before.get("STRIPE_WEBHOOK_SECRETS") or "whsec_" + secrets.token_hex(24)
    return found


def _is_given(name: str, given: Mapping[str, str]) -> bool:
    return bool(given.get(name) or given.get(f"{name}_FILE"))


def is_free(port: int) -> bool:
    """Whether a server may listen on this port of the loopback."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def port_like(address: str | None, *, usual: int = 0) -> int:
    """The port of an address we had before, or the usual one, or any; the first that is free."""
    for port in (urlsplit(address).port if address else None, usual):
        if port and is_free(port):
            return port
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def read(path: Path) -> dict[str, Any]:
    """A JSON file of ours; a missing or broken one is empty."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def write(path: Path, content: Mapping[str, Any]) -> None:
    """Replace a JSON file in one step; only its owner may read it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    draft.replace(path)
