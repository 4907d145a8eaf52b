"""How a person wants to be answered, and what their models are told of it."""

from collections.abc import Mapping
from datetime import datetime

from django.db import connection, transaction

from apps.accounts.models import User
from apps.chat.models import Personalization
from apps.chat.personalities import NEUTRAL, PERSONALITIES, Personality

FIELDS = ("is_on", "about", "wishes", "personality", "model")
WISHES = "SELECT personality, about, wishes FROM chat_personalization WHERE owner_id = %s AND is_on"
MODEL = "SELECT model FROM chat_personalization WHERE owner_id = %s"


def find(owner: User, *, now: datetime) -> Personalization:
    """What the person set; unsaved, and as if nothing was set, where they never did."""
    return Personalization.objects.filter(owner=owner).first() or Personalization(owner=owner, changed_at=now)


def change(owner: User, values: Mapping[str, object], *, now: datetime) -> None:
    """Keep what the person set. An act; answers that are being made keep what they were told."""
    kept = {field: values[field] for field in FIELDS}
    with transaction.atomic(durable=True):
        Personalization.objects.update_or_create(owner=owner, defaults={**kept, "changed_at": now})


def personality_of(owner: User) -> Personality:
    """How the assistant sounds to this person now; one that is offered no more is the neutral one."""
    chosen = Personalization.objects.filter(owner=owner, is_on=True).values_list("personality", flat=True).first()
    return PERSONALITIES.get(chosen or NEUTRAL, PERSONALITIES[NEUTRAL])


def preferred_model(owner: User) -> str:
    """Key of the model that new conversations begin with; empty: the person has no preference."""
    with connection.cursor() as cursor:
        cursor.execute(MODEL, [owner.pk])
        (model,) = cursor.fetchone() or ("",)
    return str(model)


def instructions_for(owner: User) -> str:
    """What is added to the house's instructions for this person; empty: nothing."""
    with connection.cursor() as cursor:
        cursor.execute(WISHES, [owner.pk])
        personality, about, wishes = cursor.fetchone() or (NEUTRAL, "", "")
    parts = [
        PERSONALITIES.get(personality, PERSONALITIES[NEUTRAL]).instructions,
        about and f"About the person who asks, in their words: {about}",
        wishes and f"How they wish to be answered: {wishes}",
    ]
    return "\n".join(part for part in parts if part)
