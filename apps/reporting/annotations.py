"""What staff wrote on days of the reports: a price change, a launch, an outage."""

from collections.abc import Mapping
from datetime import date, datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts import audit
from apps.accounts.models import User
from apps.core.errors import Invalid, Missing
from apps.reporting.days import Period
from apps.reporting.models import Annotation

LONGEST = 120


def list_in(period: Period) -> list[Annotation]:
    """Those on days of a period, in order."""
    found = Annotation.objects.filter(day__range=(period.first, period.last)).select_related("author")
    return list(found.order_by("day", "written_at"))


def write(day: date, text: str, *, by: User, now: datetime) -> Annotation:
    """Write on a day.

    Effect  an act, with its line in the audit log.
    Raises  Invalid: nothing is written, or too much.
    """
    words = " ".join(text.split())
    if not words or len(words) > LONGEST:
        raise Invalid(_("Please write 1 to {most} characters.").format(most=LONGEST), field="text")
    with transaction.atomic(durable=True):
        made: Annotation = Annotation.objects.create(day=day, text=words, author=by, written_at=now)
        audit.record(by, "annotation.write", details=_facts(made), now=now)
    return made


def remove(annotation_id: UUID, *, by: User, now: datetime) -> None:
    """Take back what somebody wrote.

    Effect  an act, with its line in the audit log.
    Raises  Missing: it is not there any more.
    """
    with transaction.atomic(durable=True):
        found = Annotation.objects.select_for_update(no_key=True).filter(pk=annotation_id).first()
        if found is None:
            raise Missing(_("This note is gone already."))
        audit.record(by, "annotation.remove", details=_facts(found), now=now)
        found.delete()


def _facts(annotation: Annotation) -> Mapping[str, object]:
    return {"day": str(annotation.day), "text": annotation.text}
