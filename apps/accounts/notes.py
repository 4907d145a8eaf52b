"""What staff remember of a person: rows are added, never changed."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import StaffNote, User
from apps.core.errors import Invalid

LONGEST = 2000


def add(person: User, text: str, *, by: User, now: datetime) -> StaffNote:
    """Note something about a person. An act.

    Raises  Invalid: nothing, or too much.
    """
    text = text.strip()
    if not text or len(text) > LONGEST or "\x00" in text:  # no database column takes NUL
        raise Invalid(_("Write between 1 and 2000 characters."), field="text")
    with transaction.atomic(durable=True):
        return StaffNote.objects.create(subject=person, author=by, text=text, written_at=now)
