"""A person's conversations: find, list, rename, delete. What is not theirs is not there."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.chat.models import Conversation, Message
from apps.core import rows
from apps.core.errors import Invalid, Missing
from apps.inference import runs
from apps.inference.models import Run

PAGE_SIZE = 30
LONGEST_TITLE = 120
OWN_RUN = """
    SELECT {columns} FROM inference_run AS run JOIN billing_billingaccount AS account ON account.id = run.account_id
     WHERE run.id = %s AND account.owner_id = %s
"""


@dataclass(frozen=True)
class Page:
    """Some conversations, newest first, and where the next ones begin."""

    conversations: list[Conversation]
    next_cursor: str | None


def get_conversation(owner: User, conversation_id: UUID) -> Conversation:
    """One of a person's conversations.

    Raises  Missing: there is none, or it is someone else's.
    """
    conversation = Conversation.objects.of(owner).filter(pk=conversation_id).first()
    if conversation is None:
        raise Missing(_("There is no such conversation."))
    return conversation


def get_message(owner: User, message_id: UUID) -> Message:
    """One message of a person's conversations, with its run.

    Raises  Missing: there is none, or it is someone else's.
    """
    mine = Message.objects.filter(conversation__owner=owner).select_related("conversation", "run", "parent")
    message = mine.filter(pk=message_id).first()
    if message is None:
        raise Missing(_("There is no such message."))
    return message


def get_run(owner: User, run_id: UUID) -> Run:
    """The run of one of a person's answers. One indexed query, as text: each reader of a stream begins with it.

    Raises  Missing: there is none, or it is someone else's.
    """
    run = rows.first(Run, OWN_RUN, [run_id, owner.pk], named="run")
    if run is None:
        raise Missing(_("There is no such answer."))
    return run


def list_page(owner: User, *, cursor: str | None = None, query: str = "") -> Page:
    """The next conversations in the order of their last change, of those whose title or messages have `query`.

    Raises  Invalid: the cursor is none of ours.
    """
    found = _matching(Conversation.objects.of(owner), query)
    if cursor:
        updated_at, last_id = _read_cursor(cursor)
        found = found.filter(Q(updated_at__lt=updated_at) | Q(updated_at=updated_at, pk__lt=last_id))
    rows = list(found.order_by("-updated_at", "-id")[: PAGE_SIZE + 1])
    page = rows[:PAGE_SIZE]
    return Page(page, _cursor_after(page[-1]) if len(rows) > PAGE_SIZE else None)


def rename(conversation: Conversation, title: str) -> None:
    """Give a title of the person's choice. An act.

    Raises  Invalid: empty, or too long.
    """
    title = " ".join(title.split())
    if not title or len(title) > LONGEST_TITLE:
        raise Invalid(_("A title has 1 to 120 characters."), field="title")
    with transaction.atomic(durable=True):
        conversation.title = title
        conversation.save(update_fields=["title"])


def delete(conversation: Conversation, *, now: datetime) -> None:
    """Delete a conversation with all it says; answers still being made are stopped. Acts, one after another."""
    with transaction.atomic(durable=True):
        theirs = Run.objects.filter(message__conversation=conversation)
        unfinished = list(theirs.exclude(state__in=[Run.State.SUCCEEDED, Run.State.STOPPED, Run.State.FAILED]))
        theirs.update(text="", reasoning="")
        conversation.delete()
    for run in unfinished:
        runs.request_stop(run, now=now)


def _matching(conversations: QuerySet[Conversation], query: str) -> QuerySet[Conversation]:
    words = query.strip()
    if not words:
        return conversations
    said = Message.objects.filter(conversation=OuterRef("pk"), text__icontains=words)
    return conversations.filter(Q(title__icontains=words) | Exists(said))


def _cursor_after(conversation: Conversation) -> str:
    return urlsafe_b64encode(f"{conversation.updated_at.isoformat()} {conversation.pk}".encode()).decode()


def _read_cursor(cursor: str) -> tuple[datetime, UUID]:
    try:
        moment, _space, last_id = urlsafe_b64decode(cursor.encode()).decode().partition(" ")
        updated_at = datetime.fromisoformat(moment)
        if updated_at.tzinfo is None:
            raise ValueError("a moment without a zone")
        return updated_at, UUID(last_id)
    except (NotBase64, ValueError):
        raise Invalid(_("This list has no such page."), field="cursor") from None
