"""Answers that their readers report, and what staff decide about them."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.accounts import audit
from apps.accounts.models import User
from apps.chat import conversations
from apps.chat.models import ContentReport, Message
from apps.core import guards
from apps.core.errors import Conflict, Invalid

State = ContentReport.State
READ = "content_report.read"
VERDICTS = {
    State.UPHELD: "content_report.uphold",
    State.DISMISSED: "content_report.dismiss",
}  # as the audit log has them
MEANWHILE = _("This report was changed or closed meanwhile. Please read it again.")


def report(owner: User, message_id: UUID, *, reason: str, note: str = "", now: datetime) -> ContentReport:
    """Report one answer of a person's own conversations.

    Effect  an act: a copy of the answer, and of nothing else, is kept for staff.
    Repeat  the first report gets the new reason and note, and is open again.
    Raises  Missing: no such message, or somebody else's;  Invalid: no answer, no such reason, or a note too long.
    """
    message = conversations.get_message(owner, message_id)
    if message.role != Message.Role.ASSISTANT or not message.text:
        raise Invalid(_("Only an answer that is there can be reported."), field="message_id")
    if reason not in ContentReport.Reason.values:
        raise Invalid(_("Choose one of the reasons."), field="reason")
    note = note.strip()
    if len(note) > ContentReport.LONGEST_NOTE:
        raise Invalid(_("A note has 1,000 characters at most."), field="note")
    changed = {"reason": reason, "note": note, "text": message.text, "model": message.model, "changed_at": now,
               "state": State.OPEN, "closed_at": None, "closed_by": None}  # fmt: skip
    with transaction.atomic(durable=True):
        found, _is_new = ContentReport.objects.update_or_create(
            reporter=owner, message=message, defaults=changed, create_defaults={**changed, "reported_at": now}
        )
    return found


def note_read(report: ContentReport, *, by: User, now: datetime) -> None:
    """Write down that staff read a reported answer. A step."""
    audit.record(by, READ, subject=report.reporter, details={"report": str(report.pk)}, now=now)


def judge(report: ContentReport, verdict: str, *, seen: datetime, by: User, now: datetime) -> None:
    """Close a report: it is upheld, or dismissed.

    seen    `changed_at` of the report as it was read: nobody judges what they did not see
    Effect  a step: one conditional UPDATE, written down.
    Raises  Invalid: that is no verdict;  Conflict: somebody closed it before, or its reader changed it.
    """
    guards.inside_transaction()
    if verdict not in VERDICTS:
        raise Invalid(_("A report is upheld or dismissed."), field="state")
    waiting = ContentReport.objects.filter(pk=report.pk, state=State.OPEN, changed_at=seen)
    if not waiting.update(state=verdict, closed_at=now, closed_by=by):
        raise Conflict(MEANWHILE)
    action = VERDICTS[State(verdict)]
    audit.record(by, action, subject=report.reporter, details={"report": str(report.pk)}, now=now)
