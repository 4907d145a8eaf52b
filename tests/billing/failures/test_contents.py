"""Every failure of the catalogue has a test: here by its number, or elsewhere by a name in this table."""

import re

import pytest

from tests.house.source import ROOT

LAST = 40
NUMBERED = re.compile(r"^def test_f(\d\d)_", re.MULTILINE)
ELSEWHERE = {
    24: ("privacy/test_leaving_stripe.py", "test_f24_stripe_is_cancelled_then_seen_then_everything_is_erased"),
    33: ("usage/test_ledger_races.py", "test_forty_at_once_with_room_for_seven_admit_seven"),
    34: ("flows/test_worker_death.py", "test_another_worker_finishes_and_it_is_charged_once"),
    35: ("inference/test_engine.py", "test_a_stopped_answer_pays_for_what_came"),
    36: ("inference/test_engine.py", "test_without_reported_usage_tokens_are_estimated"),
    37: ("inference/test_answer_costs.py", "test_without_a_price_in_the_accounts_currency_no_model_is_called"),
    38: ("usage/test_ledger.py", "test_settling_twice_gives_the_first_row"),
    39: ("usage/test_ledger.py", "test_a_window_that_ends_meanwhile_is_charged_and_the_next_starts_clean"),
    40: ("inference/test_engine.py", "test_a_spent_limit_falls_back_to_a_smaller_model_that_says_so"),
}


def numbered():
    """Which failures have a test of their number in this folder."""
    texts = (path.read_text(encoding="utf-8") for path in (ROOT / "tests" / "billing" / "failures").glob("test_*.py"))
    return {int(number) for text in texts for number in NUMBERED.findall(text)}


def test_every_failure_has_a_test():
    assert numbered() | set(ELSEWHERE) == set(range(1, LAST + 1))


@pytest.mark.parametrize("number", ELSEWHERE)
def test_what_is_proven_elsewhere_is_there(number):
    path, name = ELSEWHERE[number]
    assert f"def {name}(" in (ROOT / "tests" / path).read_text(encoding="utf-8")


def test_the_table_in_the_docs_names_every_failure():
    text = (ROOT / "docs" / "billing.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (F[\d, F]+) \|", text, re.MULTILINE)
    assert [int(number) for row in rows for number in re.findall(r"\d+", row)] == list(range(1, LAST + 1))
