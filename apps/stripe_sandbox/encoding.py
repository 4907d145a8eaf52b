"""Stripe's way of writing nested parameters in a form: `items[0][price]=price_1&expand[]=customer`."""

import re
from urllib.parse import parse_qsl

from apps.stripe_sandbox.documents import Document

PART = re.compile(r"\[([^\[\]]*)\]")


def decode(text: str) -> Document:
    """Turn a form or query into nested mappings of strings; a list has its positions as keys."""
    result: Document = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        head, _, rest = name.partition("[")
        parts = [head, *(PART.findall("[" + rest) if rest else [])]
        _put(result, parts, value)
    return result


def _put(target: Document, parts: list[str], value: str) -> None:
    for part in parts[:-1]:
        key = part or str(len(target))
        inner = target.setdefault(key, {})
        if not isinstance(inner, dict):
            inner = target[key] = {}
        target = inner
    target[parts[-1] or str(len(target))] = value


def encode(values: Document, prefix: str = "") -> list[tuple[str, str]]:
    """Flatten nested parameters in a settled order, so that two requests can be compared."""
    flat: list[tuple[str, str]] = []
    for key in sorted(values):
        name = f"{prefix}[{key}]" if prefix else key
        value = values[key]
        flat += encode(value, name) if isinstance(value, dict) else [(name, str(value))]
    return flat
