"""Requests whose job was lost, or that had to wait, are taken up again."""

from datetime import datetime

from apps.core import jobs
from apps.privacy.models import DataRequest

JOBS = {
    DataRequest.Kind.EXPORT.value: "privacy.make_export",
    DataRequest.Kind.ERASURE.value: "privacy.continue_erasure",
}
BATCH = 100


def nudge_due(*, now: datetime) -> int:
    """Send a job for each request that is due, the longest waiting first; say how many."""
    due = list(DataRequest.objects.due(at=now).order_by("next_at").values_list("pk", "kind")[:BATCH])
    for request_id, kind in due:
        jobs.enqueue(JOBS[kind], str(request_id))
    return len(due)
