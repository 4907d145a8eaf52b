"""Let nobody into an account any more, and let them in again: with a reason, and written down."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts import audit
from apps.accounts.models import User
from apps.core.errors import Conflict, Invalid
from apps.privacy import departures, doors

LONGEST = 500


def block(person: User, *, reason: str, by: User, now: datetime) -> None:
    """End all sessions, refuse every way in and every API key, and ask running answers to stop.

    Effect  an act. Subscriptions go on: ending one, or paying back, is decided on the account's page.
    Raises  Invalid: no reason;  Conflict: staff, oneself among them, or blocked already.
    """
    reason = _read_reason(reason)
    if person.is_staff:
        raise Conflict(_("Staff are not blocked: take their role away first."))
    with transaction.atomic(durable=True):
        if not User.objects.filter(pk=person.pk, blocked_at=None).update(blocked_at=now):
            raise Conflict(_("This account is blocked already."))
        doors.lock(person)
        audit.record(by, "account.block", subject=person, reason=reason, now=now)
    doors.stop_answers(person, now=now)


def unblock(person: User, *, reason: str, by: User, now: datetime) -> None:
    """Let the person in again, unless they asked to leave meanwhile.

    Effect  an act.
    Raises  Invalid: no reason;  Conflict: not blocked.
    """
    reason = _read_reason(reason)
    with transaction.atomic(durable=True):
        if not User.objects.filter(pk=person.pk, blocked_at__isnull=False).update(blocked_at=None):
            raise Conflict(_("This account is not blocked."))
        if departures.find_departure(person.pk, now=now) is None:
            doors.unlock(person)
        audit.record(by, "account.unblock", subject=person, reason=reason, now=now)


def _read_reason(reason: str) -> str:
    reason = reason.strip()
    if not reason or len(reason) > LONGEST or "\x00" in reason:
        raise Invalid(_("Say why in up to 500 characters: it is written down."), field="reason")
    return reason
