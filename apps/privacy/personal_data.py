"""What privacy itself keeps about a person: what was asked, and archives that wait to be fetched."""

from collections.abc import Iterable
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.privacy.models import DataRequest


class DataRequestsData:
    """The requests stay, without their archives: they are the proof of what was done."""

    slug = "data-requests"
    title = _("What you asked about your data")

    def export(self, user: User) -> Iterable[tuple[str, object]]:
        """Every request and when it was done."""
        mine = DataRequest.objects.filter(user=user).order_by("asked_at")
        yield "requests", list(mine.values("kind", "state", "asked_at", "done_at"))

    def erase(self, user: User, *, now: datetime) -> int:
        """Drop the archives."""
        kept: int = DataRequest.objects.filter(user=user, archive__isnull=False).update(archive=None)
        return kept
