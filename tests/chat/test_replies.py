"""apps/chat/replies.py: what sending stores, and what it refuses to."""

from datetime import timedelta

import pytest
from celery import current_app

from apps.billing import entitlements
from apps.chat import replies
from apps.chat.models import Conversation, Message
from apps.chat.replies import Draft
from apps.core.errors import Conflict, Invalid, LimitReached, Missing, PaymentNeeded, TooLarge
from apps.inference import runs
from apps.inference.models import Run
from tests import build
from tests.support.provider import GREETING_TEXT

pytestmark = pytest.mark.django_db(transaction=True)
NOW = build.NOW


def send(owner, text="Hello?", **facts):
    return replies.send(owner, Draft(text, **facts), now=facts.pop("now", NOW))


def nothing_stored():
    return not (Conversation.objects.exists() or Message.objects.exists() or Run.objects.exists())


def jobs_in(queue):
    with current_app.connection_for_write() as connection:
        return connection.default_channel.client.llen(queue)


def test_the_first_message_makes_a_conversation_an_empty_answer_and_a_run(ana, provider):
    sent = send(ana, "Why is the sky blue?\nPlease be brief.")
    assert (sent.conversation.owner, sent.conversation.title) == (ana, "Why is the sky blue?")
    assert sent.conversation.leaf_id == sent.reply.pk
    assert (sent.message.role, sent.message.parent, sent.message.text) == (
        "user",
        None,
        "Why is the sky blue?\nPlease be brief.",
    )
    assert (sent.reply.role, sent.reply.parent, sent.reply.text) == ("assistant", sent.message, "")
    run = sent.reply.run
    assert (run.state, run.channel, run.job, run.queue) == ("queued", "chat", "chat.answer_message", "runs.free")
    assert (run.model, run.created_at) == ("chat-small", NOW)
    assert jobs_in("runs.free") == 1
    assert provider.requests == []


def test_the_answer_is_kept_in_its_message(ana, answer):
    sent = send(ana)
    answer(sent.reply.run)
    sent.reply.refresh_from_db()
    assert sent.reply.text == GREETING_TEXT


def test_the_next_message_sends_the_whole_path(ana, answer, provider):
    first = send(ana, "One?")
    answer(first.reply.run)
    second = send(ana, "Two?", conversation_id=first.conversation.pk, parent_id=first.reply.pk)
    answer(second.reply.run)
    asked = [(m["role"], m["content"]) for m in provider.requests[1].body["messages"][1:]]
    assert asked == [("user", "One?"), ("assistant", GREETING_TEXT), ("user", "Two?")]


def test_another_first_message_is_a_branch_of_its_own(ana, answer, provider):
    first = send(ana, "One?")
    answer(first.reply.run)
    edited = send(ana, "One, better?", conversation_id=first.conversation.pk)
    answer(edited.reply.run)
    assert edited.conversation == first.conversation
    asked = [m["content"] for m in provider.requests[1].body["messages"][1:]]
    assert asked == ["One, better?"]


def test_trying_again_makes_a_sibling_and_keeps_the_earlier_answer(ana, answer):
    sent = send(ana)
    answer(sent.reply.run)
    again = replies.retry(ana, sent.reply.pk, now=NOW + timedelta(minutes=1))
    assert (again.parent, again.text, again.run.state) == (sent.message, "", "queued")
    sent.reply.refresh_from_db()
    sent.conversation.refresh_from_db()
    assert sent.reply.text == GREETING_TEXT
    assert sent.conversation.leaf_id == again.pk


def test_a_spent_limit_refuses_kindly_and_stores_nothing(ana):
    build.spent_messages(account=entitlements.account_for(ana, now=NOW), used=20)
    with pytest.raises(LimitReached) as refused:
        send(ana)
    assert refused.value.code == "limit_reached"
    assert refused.value.refusal.facts() == {
        "limit": 20,
        "used": 20,
        "resets_at": "2026-03-02T12:00:00Z",
        "lifted_by": "premium",
        "meter": "messages",
    }
    assert nothing_stored()
    assert jobs_in("runs.free") == 0


def test_one_account_cannot_fill_the_queue(ana):
    for _ in range(1 + replies.MOST_WAITING):
        send(ana)
    with pytest.raises(LimitReached) as refused:
        send(ana)
    assert refused.value.code == "too_many_at_once"
    assert str(refused.value.sentence).startswith("Your plan writes 1 answer at a time: wait until it is finished")
    assert Run.objects.count() == Conversation.objects.count() == 4


def test_when_one_of_them_is_answered_there_is_room_for_another(ana, answer):
    first, *_others = [send(ana) for _ in range(1 + replies.MOST_WAITING)]
    answer(first.reply.run)
    assert send(ana).reply.run.state == "queued"


def test_a_model_of_another_plan_is_refused(ana, settings):
    settings.OPENAI_API_KEY = "sk-scripted"
    with pytest.raises(PaymentNeeded) as refused:
        send(ana, model="chat-large")
    assert (refused.value.code, refused.value.refusal.lifted_by) == ("not_included", "premium")
    assert nothing_stored()


def test_a_model_that_does_not_exist_is_refused(ana):
    with pytest.raises(Missing):
        send(ana, model="nonsense")
    assert nothing_stored()


@pytest.mark.parametrize("text", ["", "   \n\t"])
def test_an_empty_message_is_refused(ana, text):
    with pytest.raises(Invalid):
        send(ana, text)
    assert nothing_stored()


def test_a_message_of_32000_characters_is_the_longest(ana):
    build.subscription(account=entitlements.account_for(ana, now=NOW))
    with pytest.raises(TooLarge) as refused:
        send(ana, "x" * 32_001)
    assert refused.value.code == "too_large"
    assert nothing_stored()


def test_a_message_that_the_model_cannot_read_at_once_is_refused(ana):
    with pytest.raises(TooLarge) as refused:
        send(ana, "word " * 2000)
    assert refused.value.code == "context_too_long"
    assert nothing_stored()


def test_a_strangers_conversation_and_message_are_not_there(ana, mallory, answer):
    sent = send(ana)
    answer(sent.reply.run)
    with pytest.raises(Missing):
        send(mallory, conversation_id=sent.conversation.pk, parent_id=sent.reply.pk)
    hers = send(mallory)
    with pytest.raises(Missing):
        send(mallory, conversation_id=hers.conversation.pk, parent_id=sent.reply.pk)
    with pytest.raises(Missing):
        replies.retry(mallory, sent.reply.pk, now=NOW)
    assert sent.conversation.messages.count() == 2


def test_an_answer_that_is_being_written_cannot_be_answered_or_tried_again(ana):
    sent = send(ana)
    with pytest.raises(Conflict):
        send(ana, conversation_id=sent.conversation.pk, parent_id=sent.reply.pk)
    with pytest.raises(Conflict):
        replies.retry(ana, sent.reply.pk, now=NOW)
    assert sent.conversation.messages.count() == 2


def test_a_message_cannot_follow_a_message(ana, answer):
    sent = send(ana)
    answer(sent.reply.run)
    with pytest.raises(Invalid):
        send(ana, conversation_id=sent.conversation.pk, parent_id=sent.message.pk)


def test_two_tabs_at_the_last_message_and_exactly_one_is_answered(ana, answer, provider):
    account = entitlements.account_for(ana, now=NOW)
    build.spent_messages(account=account, used=19)
    first, second = send(ana), send(ana)
    answer(first.reply.run)
    answer(second.reply.run)
    second.reply.run.refresh_from_db()
    assert (first.reply.run.state, second.reply.run.state) == ("succeeded", "failed")
    assert second.reply.run.error_code == "limit_reached"
    assert len(provider.requests) == 1


def test_the_answer_of_a_deleted_conversation_is_not_kept(ana, answer, provider):
    sent = send(ana)
    run = sent.reply.run
    sent.conversation.delete()
    answer(run)
    assert (run.state, run.error_code, run.text) == ("failed", "not_found", "")
    assert provider.requests == []


def test_consent_is_remembered_with_each_message(ana):
    sent = send(ana)
    assert (sent.message.may_train, sent.reply.may_train) == (False, False)


def test_stopping_while_it_waits_leaves_an_empty_answer(ana, answer, provider):
    sent = send(ana)
    runs.request_stop(sent.reply.run, now=NOW)
    answer(sent.reply.run)
    assert (sent.reply.run.state, provider.requests) == ("stopped", [])
