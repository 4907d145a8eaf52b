"""apps/chat/prompting.py: the path as far as it fits, newest kept."""

import pytest

from apps.chat import prompting
from apps.chat.models import Message
from apps.inference.errors import RequestTooLong
from apps.inference.language_models import LanguageModel, Rates
from tests import build

RATES = Rates.of({"input": 1, "output": 1})
MODEL = LanguageModel("chat-small", "Small", 2048, "usd", RATES, {"usd": RATES}, {"local": "m"})


def path(*texts):
    roles = ("user", "assistant")
    return [Message(role=roles[number % 2], text=text) for number, text in enumerate(texts)]


def contents(prompt):
    return [message["content"] for message in prompt.messages[1:]]


def test_the_instructions_come_first_and_the_path_in_order():
    prompt = prompting.build(path("One?", "1", "Two?"), build.plan(), MODEL)
    assert prompt.messages[0] == {"role": "system", "content": prompting.INSTRUCTIONS}
    assert prompt.messages[1:] == (
        {"role": "user", "content": "One?"},
        {"role": "assistant", "content": "1"},
        {"role": "user", "content": "Two?"},
    )


def test_the_oldest_is_left_out_when_it_does_not_fit():
    plan = build.plan(context_tokens=600, output_tokens=100)
    prompt = prompting.build(path("a" * 900, "b" * 300, "c" * 600, "d" * 300, "e" * 150), plan, MODEL)
    assert contents(prompt) == ["c" * 600, "d" * 300, "e" * 150]


def test_an_answer_never_comes_without_its_question():
    plan = build.plan(context_tokens=600, output_tokens=100)
    prompt = prompting.build(path("a" * 1500, "b" * 300, "c" * 300), plan, MODEL)
    assert contents(prompt) == ["c" * 300]


def test_a_question_that_does_not_fit_alone_is_refused():
    plan = build.plan(context_tokens=600, output_tokens=100)
    with pytest.raises(RequestTooLong):
        prompting.build(path("One?", "1", "x" * 1500), plan, MODEL)


def test_a_broken_answer_without_text_is_left_out():
    assert contents(prompting.build(path("One?", "", "Still there?"), build.plan(), MODEL)) == ["One?", "Still there?"]


def test_the_answer_takes_at_most_half_of_what_the_model_sees():
    plan = build.plan(context_tokens=100_000, output_tokens=50_000)
    assert prompting.build(path("One?"), plan, MODEL).max_output_tokens == 1024
