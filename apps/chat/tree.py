"""Conversations are trees of messages: the path to one of them. Pure."""

from collections.abc import Iterable
from uuid import UUID

from apps.chat.models import Message


def path_to(messages: Iterable[Message], leaf_id: UUID) -> list[Message]:
    """The path from the root to one message, both included, among all of a conversation. A missing parent ends it."""
    known = {message.pk: message for message in messages}
    path: list[Message] = []
    message = known.pop(leaf_id, None)
    while message is not None:
        path.append(message)
        message = known.pop(message.parent_id, None) if message.parent_id else None
    path.reverse()
    return path
