"""Holds what the gateway sends to the names that the official client's own types have for it."""

import re
import sys
from importlib import import_module

NESTED = re.compile(r"\b\w+Params\w+\b")


def unknown_names(call, params):
    """Give the full names in `params` that the client's TypedDict for this call, or one inside it, does not have."""
    service = call.__self__.__class__.__module__  # stripe._customer_service, stripe.checkout._session_service
    package = "stripe.params" + service.removeprefix("stripe").rpartition(".")[0]
    wanted = re.search(r"\w+Params", str(call.__func__.__annotations__["params"]))[0]
    return list(_unknown([getattr(import_module(package), wanted)], params, ""))


def _unknown(shapes, value, path):
    if isinstance(value, list | tuple):
        for each in value:
            yield from _unknown(shapes, each, path)
    if not isinstance(value, dict) or not shapes:
        return  # a scalar, or a free map such as metadata
    known = {}
    for shape in shapes:
        for name, annotation in shape.__annotations__.items():
            known.setdefault(name, []).append((shape, str(annotation)))
    for name, inner in value.items():
        full = f"{path}[{name}]" if path else name
        if name not in known:
            yield full
            continue
        found = [(shape, word) for shape, text in known[name] for word in NESTED.findall(text)]
        yield from _unknown([getattr(sys.modules[shape.__module__], word) for shape, word in found], inner, full)
