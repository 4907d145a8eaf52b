"""Browsers that a person signed in with before: the first visit from another one is told by mail."""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import transaction

from apps.accounts.models import Device, User

FORGOTTEN_AFTER = timedelta(days=400)


class Recognition(NamedTuple):
    """What a browser keeps to be known again, and whether its owner should hear of this visit."""

    key: str
    is_news: bool


def recognise(user: User, key: str | None, *, now: datetime) -> Recognition:
    """Note that a person signed in with a browser. An act.

    key   what the browser kept from earlier; None, or anything we never gave, makes it a new one.
    News  a browser this person never used, unless it is their very first: that is how they joined.
    """
    with transaction.atomic(durable=True):
        mine = Device.objects.filter(user=user)
        if key and mine.filter(key_hash=hash_of(key)).update(last_seen_at=now):
            return Recognition(key, is_news=False)
        is_first = not mine.exists()
        key = secrets.token_urlsafe(24)
        Device.objects.create(user=user, key_hash=hash_of(key), first_seen_at=now, last_seen_at=now)
        return Recognition(key, is_news=not is_first)


def forget_old(*, now: datetime) -> int:
    """Forget browsers that nobody came back with; say how many."""
    return int(Device.objects.filter(last_seen_at__lt=now - FORGOTTEN_AFTER).delete()[0])


def hash_of(key: str) -> str:
    """What is kept of a browser's key."""
    return hashlib.sha256(key.encode()).hexdigest()
