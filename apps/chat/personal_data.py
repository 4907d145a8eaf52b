"""A person's conversations, for export and erasure."""

from collections.abc import Iterable
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.chat.models import ContentReport, Conversation, Message, Personalization

REPORTED = ("message_id", "model", "text", "reason", "note", "state", "reported_at", "changed_at", "closed_at")


class Conversations:
    """One file for each conversation, with every message of its tree."""

    slug = "conversations"
    title = _("Your conversations")

    def export(self, user: User) -> Iterable[tuple[str, object]]:
        wishes = list(Personalization.objects.filter(owner=user).values())
        if wishes:
            yield "personalization.json", wishes
        reported = list(ContentReport.objects.filter(reporter=user).order_by("reported_at").values(*REPORTED))
        if reported:
            yield "content_reports.json", reported
        for conversation in Conversation.objects.of(user).order_by("created_at").iterator():
            yield (
                f"{conversation.pk}.json",
                {
                    "id": str(conversation.pk),
                    "title": conversation.title,
                    "created_at": conversation.created_at.isoformat(),
                    "updated_at": conversation.updated_at.isoformat(),
                    "messages": [_described(m) for m in conversation.messages.order_by("created_at", "id")],
                },
            )

    def erase(self, user: User, *, now: datetime) -> int:
        """Delete every conversation, how the person wants to be answered, what they reported; how many rows went."""
        messages = Message.objects.filter(conversation__owner=user).count()
        Conversation.objects.of(user).delete()
        reports = ContentReport.objects.filter(reporter=user).delete()[0]
        return messages + reports + int(Personalization.objects.filter(owner=user).delete()[0])


def _described(message: Message) -> dict[str, object]:
    return {
        "id": str(message.pk),
        "parent_id": str(message.parent_id) if message.parent_id else None,
        "role": message.role,
        "model": message.model,
        "text": message.text,
        "may_train": message.may_train,
        "created_at": message.created_at.isoformat(),
    }
