"""apps/inference/personal_data.py: counts of every answer, and the texts that stand nowhere else."""

import pytest

from apps.inference.models import Run
from apps.inference.personal_data import AnswersMade
from tests import build

pytestmark = pytest.mark.django_db


def test_an_export_counts_every_answer_and_has_the_texts_of_the_api():
    ana = build.account()
    mallory = build.account(owner=build.person(email="mallory@example.org"))
    build.run(account=ana, state="succeeded", text="in the chat", output_tokens=3)
    build.run(account=ana, state="succeeded", text="by the API", channel="api")
    build.run(account=mallory, text="hers")
    ((name, rows),) = AnswersMade().export(ana.owner)
    assert name == "answers.json"
    assert [(row["channel"], row["text"], row["output_tokens"]) for row in rows] == [
        ("chat", None, 3),
        ("api", "by the API", 0),
    ]


def test_erasing_empties_the_texts_and_keeps_the_counts():
    account = build.account()
    build.run(account=account, text="said", reasoning="thought", request={"messages": ["asked"]}, output_tokens=3)
    assert AnswersMade().erase(account.owner, now=build.NOW) == 1
    run = Run.objects.get()
    assert (run.text, run.reasoning, run.request, run.output_tokens) == ("", "", {}, 3)
