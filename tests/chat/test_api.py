"""The chat's JSON, as ana, as mallory and as nobody."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from apps.billing import entitlements
from apps.chat import replies
from apps.chat.models import Conversation, Message
from apps.chat.replies import Draft
from apps.core import clock
from apps.inference.models import Run
from tests import build
from tests.support.provider import GREETING_TEXT

pytestmark = pytest.mark.django_db(transaction=True)
NOW = build.NOW
JSON = "application/json"


def post(client, path, body):
    return client.post(f"/api/v1/{path}", body, content_type=JSON)


@pytest.fixture
def sent(ana):
    return replies.send(ana, Draft("Why is the sky blue?"), now=NOW)


def doors(sent):
    """Every address that shows or changes something of ana's."""
    return [
        ("get", f"/api/v1/conversations/{sent.conversation.pk}", None),
        ("patch", f"/api/v1/conversations/{sent.conversation.pk}", {"title": "Taken"}),
        ("delete", f"/api/v1/conversations/{sent.conversation.pk}", None),
        ("post", "/api/v1/messages", {"conversation_id": str(sent.conversation.pk), "text": "Hi"}),
        ("post", f"/api/v1/messages/{sent.reply.pk}/retry", {}),
        ("post", f"/api/v1/messages/{sent.reply.pk}/report", {"reason": "wrong"}),
        ("post", f"/api/v1/runs/{sent.reply.run.pk}/stop", {}),
    ]


def test_a_message_is_stored_and_answered_with_its_run(at_anas):
    response = post(at_anas, "messages", {"conversation_id": None, "parent_id": None, "text": "Hello?", "model": None})
    assert response.status_code == 201
    body = response.json()
    run, message = Run.objects.get(), Message.objects.get(role="user")
    assert body["conversation"]["title"] == "Hello?"
    assert body["message"] == {
        "id": str(message.pk),
        "parent_id": None,
        "role": "user",
        "text": "Hello?",
        "model": "",
        "created_at": message.created_at.isoformat().replace("+00:00", "Z"),
        "run": None,
    }
    assert body["reply"]["parent_id"] == str(message.pk)
    assert body["reply"]["run"] == {
        "id": str(run.pk),
        "state": "queued",
        "text": "",
        "error": None,
        "events_url": f"/api/v1/runs/{run.pk}/events",
        "finish_reason": "",
        "usage": None,
        "fallback": None,
    }


def test_a_conversation_shows_its_whole_tree_oldest_first(at_anas, ana, sent, answer):
    answer(sent.reply.run)
    again = replies.retry(ana, sent.reply.pk, now=NOW + timedelta(minutes=1))
    body = at_anas.get(f"/api/v1/conversations/{sent.conversation.pk}").json()
    assert set(body) == {"id", "title", "updated_at", "leaf_id", "messages"}
    assert body["leaf_id"] == str(again.pk)
    assert [m["id"] for m in body["messages"]] == [str(m.pk) for m in (sent.message, sent.reply, again)]
    assert body["messages"][1]["text"] == GREETING_TEXT
    assert body["messages"][1]["run"]["usage"] == {"input_tokens": 10, "output_tokens": 6, "provenance": "reported"}


def test_a_failed_answer_says_why(at_anas, ana, sent, answer):
    build.spent_messages(account=entitlements.account_for(ana, now=NOW), used=20)
    answer(sent.reply.run)
    run = at_anas.get(f"/api/v1/conversations/{sent.conversation.pk}").json()["messages"][1]["run"]
    assert run["state"] == "failed"
    assert {**run["error"], "message": ""} == {
        "code": "limit_reached",
        "message": "",
        "retry": False,
        "limit": 20,
        "used": 20,
        "resets_at": "2026-03-02T12:00:00Z",
        "lifted_by": "premium",
        "meter": "messages",
    }
    assert run["error"]["message"].startswith("You have used the 20 messages your plan gives for now.")


def test_an_answer_of_a_smaller_model_says_so_after_a_reload_too(at_anas, ana, sent, provider, settings, answer):
    settings.OPENAI_API_KEY, settings.OPENAI_BASE_URL = "sk-scripted", provider.url
    account = entitlements.account_for(ana, now=NOW)
    build.subscription(account=account)
    build.spent_messages(account=account, used=100, model="chat-large")
    runs = Run.objects.filter(pk=sent.reply.run.pk)
    runs.update(model="chat-large")
    answer(runs.get())
    message = at_anas.get(f"/api/v1/conversations/{sent.conversation.pk}").json()["messages"][1]
    assert (message["text"], message["model"]) == (GREETING_TEXT, "chat-small")
    assert message["run"]["fallback"] == {
        "model": "chat-small",
        "requested_model": "chat-large",
        "resets_at": "2026-03-02T12:00:00Z",
    }
    assert message["run"]["error"] is None


def test_a_spent_limit_answers_429_and_stores_nothing(at_anas, ana):
    build.spent_messages(account=entitlements.account_for(ana, now=NOW), used=20, now=clock.now())
    response = post(at_anas, "messages", {"text": "Hello?"})
    assert response.status_code == 429
    assert int(response["Retry-After"]) > 10_000
    error = response.json()["error"]
    assert (error["code"], error["limit"], error["used"], error["lifted_by"]) == ("limit_reached", 20, 20, "premium")
    assert not Conversation.objects.exists()
    assert not Run.objects.exists()


def test_a_model_of_another_plan_answers_402(at_anas, settings):
    settings.OPENAI_API_KEY = "sk-scripted"
    response = post(at_anas, "messages", {"text": "Hello?", "model": "chat-large"})
    assert (response.status_code, response.json()["error"]["lifted_by"]) == (402, "premium")


@pytest.mark.parametrize(
    "body",
    [
        "{",
        "[" * 100_000,
        "[]",
        '"text"',
        "{}",
        '{"text": {}}',
        '{"text": ""}',
        '{"text": "\\u0000"}',
        '{"text": "\\ud800"}',
        '{"text": "Hi", "conversation_id": "x"}',
        '{"text": "Hi", "model": {}}',
    ],
)
def test_a_malformed_message_answers_400_and_stores_nothing(at_anas, body):
    response = at_anas.post("/api/v1/messages", body, content_type=JSON)
    assert response.status_code == 400
    assert set(response.json()) == {"error"}
    assert not Conversation.objects.exists()


@pytest.mark.parametrize("size", [32_001, 300_000])
def test_an_oversized_message_answers_413(at_anas, size):
    response = post(at_anas, "messages", {"text": "x" * size})
    assert (response.status_code, response.json()["error"]["code"]) == (413, "too_large")
    assert not Conversation.objects.exists()


def test_conversations_are_listed_newest_first_and_by_pages(at_anas, ana):
    moments = [NOW + timedelta(minutes=number // 2) for number in range(35)]  # two share each moment
    made = [Conversation.objects.create(owner=ana, title=str(m), created_at=m, updated_at=m) for m in moments]
    first = at_anas.get("/api/v1/conversations").json()
    second = at_anas.get("/api/v1/conversations", {"cursor": first["next_cursor"]}).json()
    seen = [c["id"] for c in first["conversations"] + second["conversations"]]
    assert (len(first["conversations"]), second["next_cursor"]) == (30, None)
    assert seen == [str(c.pk) for c in sorted(made, key=lambda c: (c.updated_at, c.pk), reverse=True)]


@pytest.mark.parametrize("cursor", ["x", "é", "AAAA", "MjAyNi0wMy0wMlQwOTowMDowMCB4"])
def test_a_cursor_that_is_none_of_ours_answers_400(at_anas, cursor):
    assert at_anas.get("/api/v1/conversations", {"cursor": cursor}).status_code == 400


def test_conversations_are_found_by_title_and_by_what_was_said(at_anas, sent, ana):
    replies.send(ana, Draft("Something about bread\nwith rye"), now=NOW)
    found = [
        [c["title"] for c in at_anas.get("/api/v1/conversations", {"q": q}).json()["conversations"]]
        for q in ("SKY", "rye", "100%", "nothing")
    ]
    assert found == [["Why is the sky blue?"], ["Something about bread"], [], []]


def test_a_conversation_is_renamed(at_anas, sent):
    response = at_anas.patch(
        f"/api/v1/conversations/{sent.conversation.pk}", {"title": "  The   sky "}, content_type=JSON
    )
    assert (response.status_code, response.json()["title"]) == (200, "The sky")


@pytest.mark.parametrize("title", ["", "  ", "x" * 121])
def test_a_title_that_is_empty_or_too_long_answers_400(at_anas, sent, title):
    path = f"/api/v1/conversations/{sent.conversation.pk}"
    assert at_anas.patch(path, {"title": title}, content_type=JSON).status_code == 400
    sent.conversation.refresh_from_db()
    assert sent.conversation.title == "Why is the sky blue?"


def test_a_deleted_conversation_is_gone_with_its_texts_and_its_run_is_stopped(at_anas, sent):
    assert at_anas.delete(f"/api/v1/conversations/{sent.conversation.pk}").status_code == 204
    assert not Message.objects.exists()
    run = Run.objects.get()
    assert (run.state, run.text) == ("stopped", "")


def test_an_answer_is_stopped(at_anas, sent):
    assert post(at_anas, f"runs/{sent.reply.run.pk}/stop", {}).status_code == 202
    sent.reply.run.refresh_from_db()
    assert sent.reply.run.state == "stopped"
    assert post(at_anas, f"runs/{sent.reply.run.pk}/stop", {}).status_code == 202


def test_models_say_which_plan_has_them(at_anas, settings):
    settings.OPENAI_API_KEY = "sk-scripted"
    assert at_anas.get("/api/v1/models").json() == {
        "models": [
            {
                "key": "chat-small",
                "name": "Causerie Small",
                "is_included": True,
                "is_default": False,
                "lifted_by": None,
            },
            {
                "key": "chat-large",
                "name": "Causerie Large",
                "is_included": False,
                "is_default": False,
                "lifted_by": "premium",
            },
        ]
    }


def test_a_model_whose_key_is_not_set_is_not_offered(at_anas):
    assert [m["key"] for m in at_anas.get("/api/v1/models").json()["models"]] == ["chat-small"]


@pytest.mark.parametrize("number", range(6))
def test_a_stranger_finds_nothing_behind_any_door(client, mallory, sent, number):
    client.force_login(mallory)
    method, path, body = doors(sent)[number]
    response = getattr(client, method)(path, body, content_type=JSON)
    assert (response.status_code, response.json()["error"]["code"]) == (404, "not_found")
    sent.conversation.refresh_from_db()
    sent.reply.run.refresh_from_db()
    assert (sent.conversation.title, sent.reply.run.state) == ("Why is the sky blue?", "queued")
    assert sent.conversation.messages.count() == 2


@pytest.mark.parametrize("number", range(6))
def test_nobody_is_let_in(client, sent, number):
    method, path, body = doors(sent)[number]
    response = getattr(client, method)(path, body, content_type=JSON)
    assert response.status_code == 401
    assert sent.conversation.messages.count() == 2


def test_a_stranger_lists_only_what_is_hers(client, mallory, sent):
    client.force_login(mallory)
    assert client.get("/api/v1/conversations").json() == {"conversations": [], "next_cursor": None}
    assert client.get("/api/v1/conversations", {"q": "sky"}).json()["conversations"] == []


def test_a_request_from_another_site_is_refused(ana, sent):
    client = Client(enforce_csrf_checks=True)
    client.force_login(ana)
    assert post(client, "messages", {"text": "Hi"}).status_code == 403
    assert Conversation.objects.count() == 1


def test_an_id_that_is_not_one_is_not_found(at_anas):
    for path in (f"conversations/{uuid4()}", "conversations/x", f"runs/{uuid4()}/events"):
        assert at_anas.get(f"/api/v1/{path}").status_code == 404


def test_the_room_is_for_who_is_signed_in(client, at_anas, mallory, sent):
    assert at_anas.get(reverse("chat:room")).status_code == 200
    page = at_anas.get(reverse("chat:conversation", args=[sent.conversation.pk]))
    assert page.context["boot"] == {
        "conversation_id": str(sent.conversation.pk),
        "user": {"name": "Ana", "email": "ana@example.org", "is_guest": False},
        "plan": {"key": "free", "name": "Free"},
        "plans": {
            "guest": "Guest",
            "free": "Free",
            "premium": "Premium",
            "premium_plus": "Premium+",
            "developer": "Developer",
        },
        "models": {"chat-small": "Causerie Small", "chat-large": "Causerie Large"},
        "urls": {
            "pricing": "/pricing/",
            "settings": "/settings/plan/",
            "usage": "/settings/usage/",
            "personalization": "/settings/personalization/",
            "logout": "/accounts/logout/",
            "signup": "/accounts/signup/",
            "login": "/accounts/login/",
        },
        "personality": "Neutral",
        "language": "en",
    }
    client.force_login(mallory)
    assert client.get(reverse("chat:conversation", args=[sent.conversation.pk])).status_code == 404
    client.logout()
    assert client.get(reverse("chat:room"))["Location"] == "/accounts/login/?next=/chat/"


def test_a_further_question_asks_the_database_no_more_than_it_must(at_anas, django_assert_num_queries):
    """What a question costs is mostly how often it asks: docs/performance.md."""
    post(at_anas, "messages", {"text": "First"})
    # Session, person, account, plan, model, waiting, balances, consent, queue; the run, the messages; BEGIN and COMMIT.
    with django_assert_num_queries(13):
        assert post(at_anas, "messages", {"text": "Second"}).status_code == 201
