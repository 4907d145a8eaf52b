from uuid import uuid4

from apps.chat import tree
from apps.chat.models import Message


def chain(length):
    messages = []
    for _ in range(length):
        parent_id = messages[-1].pk if messages else None
        messages.append(Message(id=uuid4(), parent_id=parent_id))
    return messages


def test_the_path_goes_from_the_root_to_the_leaf():
    messages = chain(4)
    sibling = Message(id=uuid4(), parent_id=messages[1].pk)
    assert tree.path_to([*reversed(messages), sibling], messages[3].pk) == messages
    assert tree.path_to([*messages, sibling], sibling.pk) == [*messages[:2], sibling]


def test_a_message_that_is_not_there_has_no_path():
    assert tree.path_to(chain(2), uuid4()) == []


def test_a_ring_ends():
    first, second = Message(id=uuid4()), Message(id=uuid4())
    first.parent_id, second.parent_id = second.pk, first.pk
    assert tree.path_to([first, second], first.pk) == [second, first]
