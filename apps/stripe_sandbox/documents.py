"""The shape of what is kept: JSON as Stripe defines it."""

from typing import Any, TypeAlias

# Any: JSON whose shape Stripe's description gives, not ours; the contract tests hold it to that description.
Json: TypeAlias = Any
Document: TypeAlias = dict[str, Json]

API_VERSION = "2026-10-28.endive"


def public(document: Document) -> Document:
    """Give what leaves the sandbox: keys that begin with an underscore are its own."""
    return {key: value for key, value in document.items() if not key.startswith("_")}


def list_of(data: list[Document], url: str, *, has_more: bool = False) -> Document:
    """Wrap documents as one of Stripe's lists."""
    return {"object": "list", "data": data, "has_more": has_more, "url": url}


def changed_attributes(before: Document, after: Document) -> Document:
    """Say what an update changed: the old value of each changed key, and of each changed key inside a mapping."""
    previous: Document = {}
    for key, new in after.items():
        old = before.get(key)
        if old == new:
            continue
        if isinstance(old, dict) and isinstance(new, dict) and "data" not in new:
            previous[key] = changed_attributes(old, new)
        else:
            previous[key] = old
    return previous
