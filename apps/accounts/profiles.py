"""How a person wants to be called and shown the pages."""

from collections.abc import Mapping

from django.db import transaction

from apps.accounts.models import User

FIELDS = ("name", "language", "theme", "time_zone")


def update(user: User, values: Mapping[str, str]) -> None:
    """Change what the person set about themselves; nothing else of the row is written.

    Effect  an act: one UPDATE of the four columns.
    """
    for field in FIELDS:
        setattr(user, field, values[field])
    with transaction.atomic(durable=True):
        user.save(update_fields=FIELDS)
