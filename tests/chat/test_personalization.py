"""How a person wants to be answered: kept for them alone, told to the models, left out where there is no room."""

import pytest
from django.test import Client

from apps.chat import choices, personalization, prompting, replies
from apps.chat.models import Message, Personalization
from apps.chat.personal_data import Conversations
from apps.chat.personalities import PERSONALITIES
from apps.chat.replies import Draft
from tests import build, cast
from tests.build import NOW
from tests.chat.test_prompting import MODEL, path

PAGE = "/settings/personalization/"
MINE = {"is_on": True, "about": "I bake.", "wishes": "In grams.", "personality": "concise", "model": ""}
TOLD = (
    f"{PERSONALITIES['concise'].instructions}\n"
    "About the person who asks, in their words: I bake.\n"
    "How they wish to be answered: In grams."
)
db = pytest.mark.django_db


@pytest.fixture
def ana(db):
    return cast.ana()


def test_it_follows_the_houses_own_instructions():
    prompt = prompting.build(path("One?"), build.plan(), MODEL, wishes="In grams.")
    assert prompt.messages[0]["content"] == f"{prompting.INSTRUCTIONS}\nIn grams."


def test_a_long_question_goes_before_it():
    plan = build.plan(context_tokens=600, output_tokens=100)
    prompt = prompting.build(path("x" * 1200), plan, MODEL, wishes="w" * 600)
    assert prompt.messages[0]["content"] == prompting.INSTRUCTIONS
    assert prompt.messages[1]["content"] == "x" * 1200


def test_both_texts_at_their_longest_fit_beside_a_question_in_the_smallest_model():
    longest = "é" * 2 * Personalization.LONGEST
    prompt = prompting.build(path("One?"), build.plan(), MODEL, wishes=longest)
    assert longest in prompt.messages[0]["content"]


def test_the_models_are_told_what_was_set(ana):
    personalization.change(ana, MINE, now=NOW)
    assert personalization.instructions_for(ana) == TOLD
    assert personalization.instructions_for(cast.mallory()) == ""


def test_switched_off_nothing_is_told(ana):
    personalization.change(ana, {**MINE, "is_on": False}, now=NOW)
    assert personalization.instructions_for(ana) == ""
    assert personalization.personality_of(ana) == PERSONALITIES["neutral"]


def test_a_way_to_sound_that_is_gone_is_the_neutral_one(ana):
    personalization.change(ana, {**MINE, "personality": "pirate"}, now=NOW)
    assert personalization.personality_of(ana) == PERSONALITIES["neutral"]


def test_the_prompt_of_an_answer_holds_it(ana, provider):
    personalization.change(ana, MINE, now=NOW)
    sent = replies.send(ana, Draft("How much flour?"), now=NOW)
    plan = build.plan()
    prompt = prompting.prompt_for(sent.reply.run, plan)
    assert prompt.messages[0]["content"] == f"{prompting.INSTRUCTIONS}\n{TOLD}"


@pytest.mark.parametrize("model", ["chat-huge", "nothing"])
def test_a_model_the_plan_does_not_have_is_not_begun_with(ana, provider, model):
    personalization.change(ana, {**MINE, "model": model}, now=NOW)
    assert replies.send(ana, Draft("Hello"), now=NOW).reply.model == "chat-small"
    assert not any(one.is_default for one in choices.list_choices(ana, now=NOW))


def test_the_chosen_model_is_begun_with(ana, provider):
    personalization.change(ana, {**MINE, "model": "chat-small"}, now=NOW)
    assert [one.key for one in choices.list_choices(ana, now=NOW) if one.is_default] == ["chat-small"]


def test_it_is_taken_along_and_forgotten(ana):
    personalization.change(ana, MINE, now=NOW)
    files = dict(Conversations().export(ana))
    assert files["personalization.json"][0]["about"] == "I bake."
    assert Conversations().erase(ana, now=NOW) == 1
    assert not Personalization.objects.exists()


def test_the_page_keeps_what_is_set(client, ana, provider):
    client.force_login(ana)
    assert client.post(PAGE, {**MINE, "about": "I bake.\n"}).url == PAGE
    page = client.get(PAGE).content.decode()
    assert "I bake." in page
    assert Personalization.objects.get().owner == ana
    assert '"personality": "Concise"' in client.get("/chat/").content.decode()


@pytest.mark.parametrize("wrong", [{"about": "x" * 601}, {"personality": "pirate"}, {"model": "chat-huge"}])
def test_what_makes_no_sense_is_refused_and_nothing_is_kept(client, ana, provider, wrong):
    client.force_login(ana)
    assert client.post(PAGE, {**MINE, **wrong}).status_code == 400
    assert not Personalization.objects.exists()


@db
def test_a_stranger_sees_and_changes_nothing():
    assert Client().get(PAGE).url.startswith("/accounts/login/")
    assert Client().post(PAGE, MINE).url.startswith("/accounts/login/")


@db
def test_words_of_one_are_in_no_page_of_another(client, provider):
    personalization.change(cast.ana(), {**MINE, "about": "My secret"}, now=NOW)
    client.force_login(cast.mallory())
    assert "My secret" not in client.get(PAGE).content.decode()


def test_message_rows_know_nothing_of_it(ana, provider):
    personalization.change(ana, MINE, now=NOW)
    replies.send(ana, Draft("How much flour?"), now=NOW)
    assert not Message.objects.filter(text__contains="I bake").exists()
