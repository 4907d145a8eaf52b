"""apps/chat/personal_data.py: everything of one person, and nothing of another."""

import pytest

from apps.chat import replies
from apps.chat.models import Conversation, Message
from apps.chat.personal_data import Conversations
from apps.chat.replies import Draft
from tests import build

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_export_has_every_message_of_the_person_alone(ana, mallory, answer):
    sent = replies.send(ana, Draft("Why is the sky blue?"), now=build.NOW)
    answer(sent.reply.run)
    replies.send(mallory, Draft("Mine alone"), now=build.NOW)
    ((name, content),) = Conversations().export(ana)
    assert name == f"{sent.conversation.pk}.json"
    assert content["title"] == "Why is the sky blue?"
    assert [(m["role"], m["text"]) for m in content["messages"]] == [
        ("user", "Why is the sky blue?"),
        ("assistant", "Hello! This is a scripted answer."),
    ]


def test_erasing_deletes_the_persons_conversations_and_no_others(ana, mallory):
    replies.send(ana, Draft("Why is the sky blue?"), now=build.NOW)
    hers = replies.send(mallory, Draft("Mine alone"), now=build.NOW)
    assert Conversations().erase(ana, now=build.NOW) == 2
    assert list(Conversation.objects.all()) == [hers.conversation]
    assert Message.objects.count() == 2
    assert Conversations().erase(ana, now=build.NOW) == 0
