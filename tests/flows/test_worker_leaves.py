"""A model worker is asked to end in the middle of an answer: it finishes what it has, and takes nothing new."""

import pytest

pytestmark = pytest.mark.slow


def test_what_was_begun_is_finished_and_what_waits_is_answered_by_the_next(running_product):
    ana = running_product.person().sign_up(running_product, "leaving@example.org")
    ben = running_product.person().sign_up(running_product, "waiting@example.org")
    gate = running_product.provider.gate()
    running_product.provider.answer("Once upon", gate, " a time.")
    begun = ana.ask("Tell me a story").json()["reply"]["run"]
    gate.wait_reached()
    worker = running_product.supervisor.running["models"]
    worker.ask_to_end()
    running_product.wait_for(lambda: "Warm shutdown" in worker.log.read_text(encoding="utf-8"))
    waiting = ben.ask("And me?").json()["reply"]["run"]
    gate.open()
    assert list(ana.follow(begun))[-1][1] == "run.finished"
    running_product.wait_for(lambda: worker.exit_code() is not None)
    assert worker.exit_code() == 0
    running_product.supervisor.replace("models")
    assert list(ben.follow(waiting))[-1][1] == "run.finished"
    (row,) = running_product.rows("SELECT state, attempts, text FROM inference_run WHERE id = %s", begun["id"])
    assert row == ("succeeded", 1, "Once upon a time.")
