"""What every app that keeps personal data says about it, in its `personal_data.py`, without importing this."""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from django.utils.functional import Promise

from apps.accounts.models import User


class PersonalData(Protocol):
    """One store: it can hand itself out, and vanish."""

    @property
    def slug(self) -> str:
        """Its folder in the archive, and its line in the receipt."""

    @property
    def title(self) -> str | Promise:
        """What the person calls it."""

    def export(self, user: User) -> Iterable[tuple[str, object]]:
        """Everything of this person: file names with JSON-ready content, and nothing of anybody else."""

    def erase(self, user: User, *, now: datetime) -> int:
        """Remove it, or make it nobody's; say how much that was. A second time it finds nothing."""
