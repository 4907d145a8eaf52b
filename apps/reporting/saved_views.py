"""Pages with their filters that a person comes back to."""

from datetime import datetime
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.core.errors import Conflict, Invalid
from apps.reporting.models import SavedView
from apps.reporting.sheets.base import Sheet

MOST = 50
LONGEST_NAME, LONGEST_QUERY = 60, 300
ALWAYS = ("days", "from", "to", "compare")  # what every page may be asked


def list_of(owner: User) -> list[SavedView]:
    """A person's own, by name."""
    return list(SavedView.objects.filter(owner=owner).order_by("name"))


def keep(owner: User, name: str, sheet: Sheet, query: str, *, now: datetime) -> SavedView:
    """Keep a page as it is under a name; the same name again takes the place of the old one.

    query   of the page's address; what the page does not know is dropped, so that nothing foreign is kept
    Effect  an act.
    Raises  Invalid: no name, or a long one;  Conflict: too many are kept.
    """
    words = " ".join(name.split())
    if not words or len(words) > LONGEST_NAME:
        raise Invalid(_("Please write 1 to {most} characters.").format(most=LONGEST_NAME), field="name")
    known = [(key, value) for key, value in parse_qsl(query) if key in (*ALWAYS, *sheet.filters)]
    kept = {"page": sheet.slug, "query": urlencode(known)[:LONGEST_QUERY], "saved_at": now}
    with transaction.atomic(durable=True):
        others = SavedView.objects.filter(owner=owner).exclude(name=words)
        if others.count() >= MOST:
            raise Conflict(_("{most} views are kept already. Remove one first.").format(most=MOST))
        view, _made = SavedView.objects.update_or_create(owner=owner, name=words, defaults=kept)
    return view


def remove(owner: User, view_id: UUID) -> None:
    """Forget one of a person's own. An act; again changes nothing."""
    with transaction.atomic(durable=True):
        SavedView.objects.filter(owner=owner, pk=view_id).delete()
