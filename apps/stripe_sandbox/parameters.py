"""What a call may be told: readers that turn the strings of a form into values, and refuse in Stripe's words.

A reader takes the raw value and its name; `fields(…)` reads a mapping and refuses names it does not know.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import TypeAlias

from apps.stripe_sandbox.documents import Document, Json
from apps.stripe_sandbox.errors import invalid

# What comes in is a string or nested mappings of strings, what goes out is whatever the reader makes of it.
Reader: TypeAlias = Callable[[Json, str], Json]

LATEST = 4102444800  # 1 January 2100
MOST_KEYS, LONGEST_KEY, LONGEST_VALUE = 50, 40, 500


def text(value: Json, name: str) -> str:
    """Read a string that is not empty: an empty one would clear, and this parameter cannot be cleared."""
    if not isinstance(value, str):
        raise invalid(f"Invalid string: {value}", name)
    if value == "":
        raise invalid(
            f"You passed an empty string for '{name}'. We assume empty values are an attempt to unset a parameter; "
            f"however '{name}' cannot be unset. You should remove '{name}' from your request or supply a "
            "non-empty value.",
            name,
            "parameter_invalid_empty",
        )
    return value


def short_text(most: int) -> Reader:
    """Read a string of at most so many characters."""

    def read(value: Json, name: str) -> str:
        found = text(value, name)
        if len(found) > most:
            raise invalid(f"Invalid string: {found[:20]}…; must be at most {most} characters", name)
        return found

    return read


def string_map(value: Json, name: str) -> dict[str, str]:
    """Read a mapping whose values are strings, and nothing but strings: the payload of a meter event."""
    if not isinstance(value, dict):
        raise invalid("Invalid hash", name)
    return {str(key): text(item, f"{name}[{key}]") for key, item in value.items()}


def moment_text(value: Json, name: str) -> int:
    """Read a moment as v2 writes it, RFC 3339 with a zone; give seconds since 1970."""
    try:
        moment = datetime.fromisoformat(text(value, name))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise invalid(f"Invalid timestamp: {value}; must be RFC 3339, such as 2026-01-31T12:00:00Z", name)
    return int(moment.timestamp())


def integer(value: Json, name: str) -> int:
    """Read a whole number."""
    try:
        return int(value)
    except (TypeError, ValueError):
        raise invalid(f"Invalid integer: {value}", name, "parameter_invalid_integer") from None


def natural(value: Json, name: str) -> int:
    """Read a whole number that is not negative."""
    number = integer(value, name)
    if number < 0:
        raise invalid("This value must be greater than or equal to 0.", name, "parameter_invalid_integer")
    return number


def timestamp(value: Json, name: str) -> int:
    """Read a moment in whole seconds since 1970, before the year 2100."""
    moment = integer(value, name)
    if not 0 < moment < LATEST:
        raise invalid("Invalid timestamp: must be an integer Unix timestamp", name)
    return moment


def decimal(value: Json, name: str) -> Decimal:
    """Read a decimal number."""
    try:
        return Decimal(value)
    except (TypeError, InvalidOperation):
        raise invalid(f"Invalid decimal: {value}", name) from None


def boolean(value: Json, name: str) -> bool:
    """Read `true` or `false`, and no other spelling."""
    if value not in ("true", "false"):
        raise invalid(f"Invalid boolean: {value}", name)
    return bool(value == "true")


def free_map(value: Json, name: str) -> dict[str, str]:
    """Read metadata: any keys, string values; an empty value removes its key, an empty map removes all."""
    if value == "":
        return {"": ""}
    if not isinstance(value, dict) or any(isinstance(item, dict) for item in value.values()):
        raise invalid("Invalid hash", name)
    if len(value) > MOST_KEYS or any(
        len(key) > LONGEST_KEY or len(item) > LONGEST_VALUE for key, item in value.items()
    ):
        raise invalid(
            f"Metadata can have up to {MOST_KEYS} keys, of up to {LONGEST_KEY} characters, "
            f"with values of up to {LONGEST_VALUE} characters.",
            name,
        )
    return {str(key): str(item) for key, item in value.items()}


def one_of(*words: str) -> Reader:
    """Read one of a few words."""

    def read(value: Json, name: str) -> str:
        if value not in words:
            listed = words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
            raise invalid(f"Invalid {name}: must be one of {listed}", name)
        return str(value)

    return read


def clearable(inner: Reader) -> Reader:
    """Read as `inner`, or an empty string as “clear it”."""
    return lambda value, name: None if value == "" else inner(value, name)


def either(first: Reader, second: Reader, *, when: Callable[[Json], bool]) -> Reader:
    """Read as `first` when the raw value looks so, else as `second`."""
    return lambda value, name: first(value, name) if when(value) else second(value, name)


def list_of(inner: Reader) -> Reader:
    """Read a list; its positions are the keys of the raw mapping."""

    def read(value: Json, name: str) -> list[Json]:
        if not isinstance(value, dict) or not all(key.isdigit() for key in value):
            raise invalid("Invalid array", name)
        return [inner(value[key], f"{name}[{key}]") for key in sorted(value, key=int)]

    return read


def json_list(inner: Reader) -> Reader:
    """Read a list as JSON has it."""

    def read(value: Json, name: str) -> list[Json]:
        if not isinstance(value, list):
            raise invalid("Invalid array", name)
        return [inner(item, f"{name}[{number}]") for number, item in enumerate(value)]

    return read


def fields(readers: Mapping[str, Reader], required: tuple[str, ...] = ()) -> Reader:
    """Read a mapping with known names; an unknown or a missing one is refused with its full name."""

    def read(value: Json, name: str) -> Document:
        if not isinstance(value, dict):
            raise invalid("Invalid object", name)
        full = {key: f"{name}[{key}]" if name else key for key in (*value, *required)}
        unknown = [full[key] for key in value if key not in readers]
        if unknown:
            plural = "s" if len(unknown) > 1 else ""
            raise invalid(f"Received unknown parameter{plural}: {', '.join(unknown)}", unknown[0], "parameter_unknown")
        for key in required:
            if key not in value:
                raise invalid(f"Missing required param: {full[key]}.", full[key], "parameter_missing")
        return {key: readers[key](raw, full[key]) for key, raw in value.items()}

    # The names stand on the reader so that a test can compare them with Stripe's own description.
    read.names = dict(readers)  # type: ignore[attr-defined]  # functions carry attributes; mypy does not model it
    return read


RANGE = either(
    fields({"gt": integer, "gte": integer, "lt": integer, "lte": integer}),
    integer,
    when=lambda raw: isinstance(raw, dict),
)
PAGING: Mapping[str, Reader] = {"limit": integer, "starting_after": text, "ending_before": text}
ADDRESS = clearable(
    fields({name: clearable(text) for name in ("city", "country", "line1", "line2", "postal_code", "state")})
)


def merge_metadata(old: Mapping[str, str] | None, new: Mapping[str, str] | None) -> dict[str, str]:
    """Add metadata to what is there: an empty value removes its key."""
    if new is None:
        return dict(old or {})
    if new == {"": ""}:
        return {}
    merged = {**(old or {}), **new}
    return {key: value for key, value in merged.items() if value != ""}
