"""Keys of back ends that staff entered: encrypted in the database, never shown again."""

from collections.abc import Mapping
from datetime import datetime
from time import monotonic

import structlog
from cryptography.fernet import InvalidToken
from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts import audit
from apps.accounts.models import User
from apps.core import sealing
from apps.core.errors import Invalid
from apps.inference.models import BackendKey

log = structlog.get_logger(__name__)

PURPOSE = "inference.credentials"
REMEMBERED_S = 5.0  # a key that was changed elsewhere is used so long at most
SHOWN = 4  # last characters, by which people tell keys apart
LEAST, MOST = 8, 500
_remembered: tuple[float, Mapping[str, str]] = (0.0, {})


def enter(backend: str, key: str, *, by: User, now: datetime) -> None:
    """Keep a key for a back end, in place of an earlier one.

    Effect  an act, written down without the key.
    Raises  Invalid: nothing that could be a key.
    """
    key = key.strip()
    if not LEAST <= len(key) <= MOST or not key.isascii() or not key.isprintable() or " " in key:
        raise Invalid(_("That is no API key: it has 8 to 500 letters, digits and signs, without spaces."), field="key")
    with transaction.atomic(durable=True):
        facts = {"sealed": sealing.seal(key, purpose=PURPOSE), "ending": key[-SHOWN:], "entered_at": now}
        BackendKey.objects.update_or_create(backend=backend, defaults=facts)
        audit.record(by, "backend.key_entered", details={"backend": backend, "ending": key[-SHOWN:]}, now=now)
    forget()


def remove(backend: str, *, by: User, now: datetime) -> None:
    """Forget the key that staff entered: from now on the environment's holds, if there is one. An act, written down."""
    with transaction.atomic(durable=True):
        if BackendKey.objects.filter(backend=backend).delete()[0]:
            audit.record(by, "backend.key_removed", details={"backend": backend}, now=now)
    forget()


def key_of(backend: str) -> str:
    """The key that staff entered, else empty."""
    return _all().get(backend, "")


def forget() -> None:
    """Read the database again at the next question."""
    global _remembered  # noqa: PLW0603 one memory for each process
    _remembered = (0.0, {})


def _all() -> Mapping[str, str]:
    global _remembered  # noqa: PLW0603 one memory for each process
    read_at, keys = _remembered
    if not read_at or monotonic() - read_at > REMEMBERED_S:
        keys = {row.backend: _opened(row) for row in BackendKey.objects.all()}
        _remembered = (monotonic(), keys)
    return keys


def _opened(row: BackendKey) -> str:
    try:
        return sealing.unseal(row.sealed, purpose=PURPOSE)
    except InvalidToken:  # SECRET_KEY was changed and the old one is not among the fallbacks: enter the key again
        log.error("backend.key_unreadable", backend=row.backend)
        return ""
