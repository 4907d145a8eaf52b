"""Conversations are trees of messages: the path to a leaf, and whether something may be added to it. Pure reading."""

from collections.abc import Iterable
from uuid import UUID

from apps.chat.models import Message


def path_to(leaf: Message) -> list[Message]:
    """The messages from the root to `leaf`, both included. One query, whatever the depth."""
    return walk(Message.objects.filter(conversation_id=leaf.conversation_id), leaf.pk)


def walk(messages: Iterable[Message], leaf_id: UUID) -> list[Message]:
    """The path from the root to one message among all of a conversation; a parent that is missing ends it."""
    known = {message.pk: message for message in messages}
    path: list[Message] = []
    message = known.pop(leaf_id, None)
    while message is not None:
        path.append(message)
        message = known.pop(message.parent_id, None) if message.parent_id else None
    path.reverse()
    return path
