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


class ContentReport(models.Model):
    """One row is one answer that its reader reported, with a copy of it: the only text of a conversation staff get.

    The question is not in it. It goes with its reporter; the conversation may go before.
    """

    LONGEST_NOTE = 1000

    class Reason(models.TextChoices):
        DANGEROUS = "dangerous", _("Dangerous or illegal")
        HATEFUL = "hateful", _("Hateful or harassing")
        SEXUAL = "sexual", _("Sexual")
        PRIVATE = "private", _("Somebody’s private data")
        WRONG = "wrong", _("Wrong or misleading")
        OTHER = "other", _("Something else")

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        UPHELD = "upheld", _("Upheld")
        DISMISSED = "dismissed", _("Dismissed")

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    reporter = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="content_reports")
    message = models.ForeignKey(Message, null=True, on_delete=models.SET_NULL, related_name="reports")
    model = models.CharField(max_length=64, blank=True)
    text = models.TextField()  # of the answer, when it was reported last
    reason = models.CharField(max_length=12, choices=Reason.choices)
    note = models.CharField(max_length=LONGEST_NOTE, blank=True)  # the reader's own words
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)  # moved by `content_reports`
    reported_at = models.DateTimeField(db_index=True)
    changed_at = models.DateTimeField(db_index=True)  # reported again, with another reason or note
    closed_at = models.DateTimeField(null=True, db_index=True)
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["reporter", "message"], name="content_report_once")]
        verbose_name, verbose_name_plural = _("reported answer"), _("reported answers")
        permissions = [("judge_contentreport", "May read reported answers and judge them")]

    def __str__(self) -> str:
        return f"{self.state} {self.reason} {self.id}"
