"""What guests may use in a day, beside their plan: messages from one address, and money of the whole site."""

from datetime import UTC, datetime, time, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from apps.core.errors import LimitReached, Refusal
from apps.usage.models import GuestDay

KEPT = timedelta(days=2)
WHOLE_SITE = ""
CODE = "guests_limit_reached"


def take(address: str, cost_micro: int, *, now: datetime) -> None:
    """Count a message of a guest, with the most its answer can cost.

    Nothing is given back afterwards: what guests cost stays below the cap, whatever their answers turn out to be.
    Effect  an act: both counts, or none; each by one UPDATE that holds its condition, always in this order.
    Raises  LimitReached: until the next UTC day, or until one signs up.
    """
    day = now.astimezone(UTC).date()
    with transaction.atomic(durable=True):
        rows = GuestDay.objects.filter(day=day)
        origins = (_origin_of(address), WHOLE_SITE)
        GuestDay.objects.bulk_create([GuestDay(day=day, origin=one) for one in origins], ignore_conflicts=True)
        here = rows.filter(origin=origins[0], messages__lt=settings.GUEST_MESSAGES_PER_ADDRESS)
        if not here.update(messages=F("messages") + 1, cost_micro=F("cost_micro") + cost_micro):
            raise _spent(_("Enough was asked from your network today without an account."), now=now)
        left = settings.GUEST_COST_MICRO_PER_DAY - cost_micro
        everywhere = rows.filter(origin=WHOLE_SITE, cost_micro__lte=left)
        if not everywhere.update(messages=F("messages") + 1, cost_micro=F("cost_micro") + cost_micro):
            raise _spent(_("Today’s messages for people without an account are used up."), now=now)


def forget_old(*, now: datetime) -> int:
    """Forget the days that are over, and with them where anybody asked from; say how many rows."""
    return int(GuestDay.objects.filter(day__lt=(now - KEPT).date()).delete()[0])


def _spent(sentence: str, *, now: datetime) -> LimitReached:
    tomorrow = datetime.combine(now.astimezone(UTC).date() + timedelta(days=1), time(), UTC)
    words = f"{sentence} {_('Sign up, and go on at once.')}"
    return LimitReached(words, Refusal(CODE, resets_at=tomorrow, meter="messages"))


def _origin_of(address: str) -> str:
    return salted_hmac("where a guest asks from", address, algorithm="sha256").hexdigest()
