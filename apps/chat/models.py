"""Conversations as trees of messages."""

from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.chat.personalities import NEUTRAL
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


class Personalization(models.Model):
    """One row is how one person wants to be answered. Nobody but them, and the models they ask, reads it."""

    LONGEST = 600  # characters of each text: both fit beside a question, also in the smallest model

    owner = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="personalization"
    )
    is_on = models.BooleanField(_("Use this for new answers"), default=True)
    about = models.TextField(_("What the models should know about you"), max_length=LONGEST, blank=True)
    wishes = models.TextField(_("How they should answer"), max_length=LONGEST, blank=True)
    personality = models.CharField(_("Personality"), max_length=32, default=NEUTRAL)
    model = models.CharField(_("Model to begin with"), max_length=64, blank=True)  # empty: the plan's first
    changed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"personalization of {self.owner_id}"


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
