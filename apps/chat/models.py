"""Conversations as trees of messages."""

from typing import ClassVar, Self

from django.conf import settings
from django.db import models

from apps.accounts.models import User
from apps.core import ids
from apps.inference.models import Run


class ConversationQuerySet(models.QuerySet["Conversation"]):
    """Conversations, as sentences."""

    def of(self, owner: User) -> Self:
        return self.filter(owner=owner)

    def newest_first(self) -> Self:
        return self.order_by("-updated_at", "-id")


class Conversation(models.Model):
    """One row is one conversation of one person; its messages form a tree, `leaf` is the end of the path last shown."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="conversations")
    title = models.CharField(max_length=120, blank=True)  # from the first message, until the person renames it
    leaf_id = models.UUIDField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    objects: ClassVar = ConversationQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["owner", "-updated_at"], name="conversation_recent")]

    def __str__(self) -> str:
        return str(self.id)  # not the title: it is taken from what the person wrote


class Message(models.Model):
    """One row is one message; an answer is made with its run, empty, and gets its text when the run ends."""

    class Role(models.TextChoices):
        USER = "user"
        ASSISTANT = "assistant"

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="messages")
    parent = models.ForeignKey("self", null=True, on_delete=models.CASCADE, related_name="children")
    role = models.CharField(max_length=10, choices=Role.choices)
    text = models.TextField(blank=True)
    run = models.OneToOneField(Run, null=True, on_delete=models.SET_NULL, related_name="message")  # answers only
    model = models.CharField(max_length=64, blank=True)
    may_train = models.BooleanField(default=False)  # the consent in force when it was written
    created_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["conversation", "created_at"], name="message_of_conversation")]

    def __str__(self) -> str:
        return f"{self.role} {self.id}"
