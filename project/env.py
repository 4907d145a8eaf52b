"""Typed readers of the environment: an unknown spelling stops the start, nothing is guessed.

Every name that was read is remembered, so that `refuse_unknown` can tell a misspelt setting from one that exists.
"""

import difflib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

OWN_PREFIXES = ("CAUSERIE_", "STRIPE_", "VALKEY_", "MODEL_", "EMAIL_")
YES, NO = ("1", "true", "yes", "on"), ("0", "false", "no", "off")

known: set[str] = set()
defaults: dict[str, str] = {}


class Missing(ImproperlyConfigured):
    """A setting that has no default was not given."""


def offer(values: Mapping[str, str]) -> None:
    """Use these values where the environment says nothing: how `manage.py up` hands its addresses to other commands."""
    defaults.update(values)


def text(name: str, default: str | None = None) -> str:
    """Read a string; `NAME_FILE` may name a file that holds it. A missing file is an error, not an empty value."""
    known.update({name, f"{name}_FILE"})
    path = os.environ.get(f"{name}_FILE")
    if path is not None:
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE names {path}, which cannot be read: {error.strerror}.") from error
    value = os.environ.get(name, defaults.get(name, default))
    if value is None:
        raise Missing(f"{name} is required and not set.")
    return value


def flag(name: str, *, default: bool) -> bool:
    """Read yes or no, in any of the usual spellings and no other."""
    value = text(name, "yes" if default else "no").strip().lower()
    if value not in YES + NO:
        raise ImproperlyConfigured(f"{name} is “{value}”; it takes one of {', '.join(YES + NO)}.")
    return value in YES


def integer(name: str, default: int, *, least: int = 0) -> int:
    """Read a whole number, not below `least`."""
    value = text(name, str(default))
    try:
        number = int(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name} is “{value}”; it takes a whole number.") from None
    if number < least:
        raise ImproperlyConfigured(f"{name} is {number}; it takes a whole number from {least} up.")
    return number


def choice(name: str, default: str, *, among: Iterable[str]) -> str:
    """Read one of a few words."""
    value, words = text(name, default), tuple(among)
    if value not in words:
        raise ImproperlyConfigured(f"{name} is “{value}”; it takes one of {', '.join(words)}.")
    return value


def words(name: str, default: str = "") -> list[str]:
    """Read a list separated by commas; empty parts are dropped."""
    return [part.strip() for part in text(name, default).split(",") if part.strip()]


def url(name: str, default: str | None = None, *, schemes: Iterable[str]) -> str:
    """Read an absolute address with one of the schemes, without a slash at its end."""
    value, allowed = text(name, default), tuple(schemes)
    parts = urlsplit(value)
    if parts.scheme not in allowed or not (parts.netloc or parts.path.strip("/")):
        raise ImproperlyConfigured(
            f"{name} must be an address that begins with {' or '.join(f'{s}://' for s in allowed)}."
        )
    return value.rstrip("/")


def refuse_unknown() -> None:
    """Stop on a variable with one of our prefixes that nothing reads: it is misspelt and would be ignored."""
    for name in sorted(os.environ):
        if name.startswith(OWN_PREFIXES) and name not in known:
            near = difflib.get_close_matches(name, sorted(known), n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise ImproperlyConfigured(f"{name} is not a setting of Causerie.{hint}")
