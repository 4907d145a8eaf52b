"""Where a person is signed in: the list, and its end, one or all others."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from allauth.usersessions.models import UserSession
from django.utils.translation import gettext as _
from ua_parser import parse

from apps.accounts import places
from apps.accounts.models import User

SEEN_EVERY = timedelta(minutes=5)  # a session's last visit is written down no more often


@dataclass(frozen=True)
class SignIn:
    """One session, as its owner reads it. `country` is ISO 3166-1, empty where nobody knows."""

    pk: int
    device: str
    country: str
    address: str
    began_at: datetime
    last_seen_at: datetime
    is_this: bool


def sessions_of(user: User, this_key: str | None) -> list[SignIn]:
    """The living sessions of a person: this one first, then the latest."""
    rows = UserSession.objects.purge_and_list(user)
    found = [_told(row, is_this=row.session_key == this_key) for row in rows]
    return sorted(found, key=lambda one: (not one.is_this, -one.last_seen_at.timestamp()))


def end_session(user: User, pk: int) -> bool:
    """End one session of a person, whatever it is doing; say whether there was one."""
    row = UserSession.objects.filter(user=user, pk=pk).first()
    if row is not None:
        row.end()
    return row is not None


def end_sessions(user: User, *, but: str | None = None) -> int:
    """End all sessions of a person, or all but one; say how many."""
    rows = list(UserSession.objects.filter(user=user).exclude(session_key=but or ""))
    for row in rows:
        row.end()
    return len(rows)


def note_seen(session_key: str | None, *, now: datetime) -> None:
    """Remember that a session is in use; at most once in five minutes, by one conditional UPDATE."""
    stale = UserSession.objects.filter(session_key=session_key, last_seen_at__lt=now - SEEN_EVERY)
    stale.update(last_seen_at=now)


def device_of(user_agent: str) -> str:
    """A browser and its system in words: “Firefox, Mac OS X”."""
    told = parse(user_agent[:400])
    names = [part.family for part in (told.user_agent, told.os) if part is not None and part.family != "Other"]
    return ", ".join(names) or _("Unknown device")


def _told(row: UserSession, *, is_this: bool) -> SignIn:
    return SignIn(
        pk=row.pk,
        device=device_of(row.user_agent),
        country=places.country_of(row.ip),
        address=row.ip,
        began_at=row.created_at,
        last_seen_at=row.last_seen_at,
        is_this=is_this,
    )
