"""One operation of the API: its method and path, what it may be told, and the function that answers."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from apps.stripe_sandbox.documents import Document
from apps.stripe_sandbox.parameters import Reader, fields

NOTHING = fields({})


@dataclass(frozen=True)
class Operation:
    """An operation; `{}` in the pattern is an id, handed to `run` before the parameters."""

    method: str
    pattern: str
    run: Callable[..., Document]
    reads: Reader = NOTHING

    def match(self, path: str) -> tuple[str, ...] | None:
        """Give the ids in a path of this operation, or nothing when it is another path."""
        found = re.fullmatch(self.pattern.replace("{}", "([^/]+)"), path)
        return found.groups() if found else None
