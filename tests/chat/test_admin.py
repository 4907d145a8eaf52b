"""Staff see that there are conversations, not what they say."""

import pytest

from apps.chat import replies
from apps.chat.replies import Draft
from tests import build, cast

pytestmark = pytest.mark.django_db(transaction=True)
SECRET = "a very private matter"


@pytest.fixture
def sent(ana):
    return replies.send(ana, Draft(SECRET), now=build.NOW)


@pytest.fixture
def at_danas(client):
    client.force_login(cast.dana())
    return client


def pages(sent):
    return [
        "/admin/chat/conversation/",
        f"/admin/chat/conversation/{sent.conversation.pk}/change/",
        "/admin/inference/run/",
        f"/admin/inference/run/{sent.reply.run.pk}/change/",
    ]


def test_no_page_of_the_admin_shows_what_was_said(at_danas, sent):
    for page in pages(sent):
        response = at_danas.get(page)
        assert response.status_code == 200, page
        assert SECRET not in response.content.decode()


def test_nothing_can_be_made_changed_or_deleted_there(at_danas, sent):
    assert at_danas.get("/admin/chat/conversation/add/").status_code == 403
    assert at_danas.post(f"/admin/chat/conversation/{sent.conversation.pk}/delete/", {"post": "yes"}).status_code == 403
    sent.conversation.refresh_from_db()
    assert sent.conversation.title == SECRET


def test_staff_alone_come_in(client, ana, sent):
    client.force_login(ana)
    assert [client.get(page).status_code for page in pages(sent)] == [302] * 4
