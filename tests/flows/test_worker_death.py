"""A model worker dies in the middle of an answer: another one finishes it, and the person pays once."""

import pytest

pytestmark = pytest.mark.slow
SETTLED = "SELECT count(*), sum(messages) FROM usage_usageledger WHERE run_id = %s"


def test_f34_another_worker_finishes_and_it_is_charged_once(running_product):
    ana = running_product.person().sign_up(running_product, "survivor@example.org")
    gate = running_product.provider.gate()
    running_product.provider.answer("Once upon", gate, " never said")
    running_product.provider.answer(" a time.")
    run = ana.ask("Tell me a story").json()["reply"]["run"]
    for _, name, _ in ana.follow(run):
        if name == "run.delta":
            break
    running_product.wait_for(
        lambda: running_product.rows("SELECT text FROM inference_run WHERE id = %s", run["id"]) == [("Once upon",)]
    )
    running_product.kill("models")
    events = list(ana.follow(run))
    assert events[-1][1] == "run.finished"
    assert [name for _, name, _ in events].count("run.finished") == 1
    ((state, attempts, text),) = running_product.rows(
        "SELECT state, attempts, text FROM inference_run WHERE id = %s", run["id"]
    )
    assert (state, attempts) == ("succeeded", 2)
    assert text == "Once upon a time."
    assert running_product.rows(SETTLED, run["id"]) == [(1, 1)]
    balance, _week = ana.get("/api/v1/balances").json()["balances"]
    assert balance["used"] == 1
    gate.open()
