"""See a person's pages as they see them: with a reason, for half an hour, looking only, and written down page by page.

Conversations are not among the pages, nor anything that shows a secret; nothing can be changed meanwhile.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.utils.translation import gettext as _

from apps.accounts import audit
from apps.accounts.models import User
from apps.core.errors import Conflict, Invalid

LASTS = timedelta(minutes=30)
MAY = "staff.impersonate_customer"
SHORTEST_REASON, LONGEST_REASON = 10, 500
SEEN, ENDED = "customer.page", "customer.look_end"
# What may be looked at; a page that is not named here is closed.
PAGES = frozenset(
    {
        "accounts:profile",
        "accounts:notifications",
        "billing:plan",
        "billing:pricing",
        "usage:usage",
        "usage:credit",
        "developer:keys",
        "privacy:data",
    }
)


@dataclass(frozen=True)
class Look:
    """One member of staff looking at one person's pages."""

    staff: User
    person: User
    until: datetime


def begin(person: User, *, reason: str, by: User, now: datetime) -> dict[str, str]:
    """Begin to look.

    Effect   written down with its reason; the person reads of it on the page of their data.
    Returns  what the session of staff keeps.
    Raises   Invalid: a reason too short or too long;  Conflict: staff, or an account nobody can sign in to.
    """
    reason = reason.strip()
    if not SHORTEST_REASON <= len(reason) <= LONGEST_REASON or "\x00" in reason:
        raise Invalid(_("Say why in 10 to 500 characters: the person can read it."), field="reason")
    if person.is_staff or person.is_superuser:
        raise Conflict(_("Pages of staff are not looked at."))
    if not person.is_active:
        raise Conflict(_("This account is closed: there is nothing to see."))
    audit.record(by, audit.LOOK_BEGUN, subject=person, reason=reason, now=now)
    return {"staff": str(by.pk), "person": str(person.pk), "until": (now + LASTS).isoformat()}


def find(told: Mapping[str, str] | None, staff: User, *, now: datetime) -> Look | None:
    """The look that a session is in; None where it is over, or no longer allowed to either of the two."""
    if not told or told["staff"] != str(staff.pk) or not staff.has_perm(MAY):
        return None
    until = datetime.fromisoformat(told["until"]).astimezone(UTC)
    person = User.objects.filter(pk=UUID(told["person"]), is_active=True, is_staff=False, is_superuser=False).first()
    return Look(staff, person, until) if person is not None and until > now else None


def note_page(look: Look, path: str, *, now: datetime) -> None:
    """Write down that a page was seen."""
    audit.record(look.staff, SEEN, subject=look.person, details={"page": path[:200]}, now=now)


def end(look: Look, *, now: datetime) -> None:
    """Write down that staff stopped looking."""
    audit.record(look.staff, ENDED, subject=look.person, now=now)
