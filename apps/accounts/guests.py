"""People who try before they sign up: a row without an address, which signing up turns into the member's."""

from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase
from django.core.cache import cache
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from apps.accounts import joining
from apps.accounts.models import User
from apps.core import ids
from apps.core.errors import Unavailable

log = structlog.get_logger(__name__)
HOUR = timedelta(hours=1)


def make(address: str, language: str, *, now: datetime) -> User:
    """Let somebody try without an account.

    address  where the request came from: so many guests an hour come from one network
    Effect   an act: the row of a guest, whom nobody can write to and who signs in nowhere.
    Raises   Unavailable: too many from there; `wait_s` says for how long. Signing up is still possible.
    """
    _count_in(address, now=now)
    key = ids.uuid7()
    user = User(id=key, email=f"guest-{key}@invalid", language=language, is_guest=True)
    user.set_unusable_password()
    with transaction.atomic(durable=True):
        User.objects.bulk_create([user])
    return user


def become_member(guest: User, *, now: datetime) -> User:
    """Make the row of a guest ready to be a member's: what they wrote is theirs already. Unsaved."""
    guest.is_guest = False
    guest.date_joined = now
    guest.email = ""
    return guest


def leave_session(session: SessionBase) -> None:
    """Sign the guest out of a session without emptying it: a sign-up goes on in it."""
    for key in (SESSION_KEY, BACKEND_SESSION_KEY, HASH_SESSION_KEY):
        session.pop(key, None)


def forgotten(*, now: datetime) -> QuerySet[User]:
    """Guests who never signed up, and whose time is over."""
    before = now - timedelta(days=settings.GUESTS_KEPT_DAYS)
    return User.objects.filter(is_guest=True, is_active=True, date_joined__lt=before).order_by("date_joined")


def _count_in(address: str, *, now: datetime) -> None:
    hour = now.replace(minute=0, second=0, microsecond=0)
    for place in joining.neighbourhoods(address):
        key = f"guests:{place}:{hour:%Y%m%d%H}"
        cache.add(key, 0, timeout=int(HOUR.total_seconds()))
        if cache.incr(key) > settings.GUESTS_PER_HOUR_NEARBY:
            log.warning("guests.burst")
            wait_s = int((hour + HOUR - now).total_seconds()) + 1
            sentence = _("Many people near you are trying this just now. Sign up, and go on at once.")
            raise Unavailable(sentence, code="too_many_guests", wait_s=wait_s)
