"""Everything about me, as one archive: a folder for each store, JSON inside, and a page that explains it."""

import io
import json
import re
import zipfile
from datetime import datetime, timedelta
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.db.models import F
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from apps.accounts.models import User
from apps.core import jobs
from apps.core.errors import Missing
from apps.privacy.models import DataRequest
from apps.privacy.registry import STORES

KEPT_FOR = timedelta(days=7)
LEASE = timedelta(minutes=5)  # how long one worker may take before another tries
MOST_ATTEMPTS = 5
SAFE_NAME = re.compile(r"[^A-Za-z0-9._-]+")


def ask_export(user: User, *, now: datetime) -> DataRequest:
    """Ask for an archive; while one is being made, that one is the answer. An act."""
    with transaction.atomic(durable=True):
        asked = DataRequest(user=user, kind=DataRequest.Kind.EXPORT, asked_at=now, next_at=now)
        DataRequest.objects.bulk_create([asked], ignore_conflicts=True)
        request: DataRequest = DataRequest.objects.exports().open().get(user=user)
        jobs.enqueue("privacy.make_export", str(request.pk))
    return request


def make_archive(request_id: UUID, *, now: datetime) -> bool:
    """Make the archive that was asked for, unless another worker does or it is there; say whether it was made.

    Crash  the request is due again when the lease is over, and fails after some attempts.
    """
    due = DataRequest.objects.exports().due(at=now).filter(pk=request_id)
    if not due.update(attempts=F("attempts") + 1, next_at=now + LEASE):
        return False
    request = DataRequest.objects.select_related("user").get(pk=request_id)
    if request.user is None or request.attempts > MOST_ATTEMPTS:
        DataRequest.objects.filter(pk=request_id).update(state=DataRequest.State.FAILED, done_at=now)
        return False
    archive = build_archive(request.user, now=now)
    made: int = (
        DataRequest.objects.open()
        .filter(pk=request_id)
        .update(archive=archive, state=DataRequest.State.DONE, done_at=now)
    )
    return made == 1


def build_archive(user: User, *, now: datetime) -> bytes:
    """Write what every store hands out for this person into one ZIP."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", compression=zipfile.ZIP_DEFLATED) as archive:
        for store in STORES:
            for name, content in store.export(user):
                text = json.dumps(content, cls=DjangoJSONEncoder, ensure_ascii=False, indent=1)
                archive.writestr(f"{store.slug}/{file_name(name)}", text)
        with override(user.language or "en"):
            archive.writestr(
                "README.txt", render_to_string("privacy/readme.txt", {"user": user, "made_at": now, "stores": STORES})
            )
    return packed.getvalue()


def file_name(name: str) -> str:
    """A name that is safe in any file system, ending in .json."""
    stem = SAFE_NAME.sub("-", name.removesuffix(".json")).strip(".-") or "data"
    return f"{stem}.json"


def find_archive(user: User, request_id: UUID, *, now: datetime) -> bytes:
    """The archive, for the person it is about and for seven days.

    Raises  Missing: not there, over, or somebody else's.
    """
    mine = DataRequest.objects.exports().filter(user=user, pk=request_id, done_at__gt=now - KEPT_FOR)
    request = mine.first()
    if request is None or request.archive is None:
        raise Missing(_("This archive is not here. Archives are kept for seven days; you can ask for a new one."))
    return bytes(request.archive)


def drop_old_archives(*, now: datetime) -> int:
    """Forget archives that nobody may fetch any more; say how many."""
    old = DataRequest.objects.exports().filter(archive__isnull=False, done_at__lte=now - KEPT_FOR)
    dropped: int = old.update(archive=None)
    return dropped
