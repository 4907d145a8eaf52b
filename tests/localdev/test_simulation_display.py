from datetime import date
from io import StringIO

import pytest
from rich.console import Console

from apps.localdev.simulation import display
from apps.localdev.simulation.display import Display, Stand
from apps.localdev.simulation.summary import Summary, written

STAND = Stand(12, 365, date(2026, 1, 14), 310, 4211, 9, {"usd": 73_000_000, "eur": 8_000_000})
LINE = "day 12 of 365 (14 Jan 2026): 310 accounts, 4,211 answers, 9 paying, MRR USD 73.00 + EUR 8.00"


@pytest.fixture
def show(monkeypatch):
    def make(*, is_terminal):
        console = Console(file=StringIO(), width=200, force_terminal=is_terminal)
        made = Display(console, lambda: STAND)
        monkeypatch.setattr(display, "SAY_EVERY_S", -1.0)
        return made, console.file

    return make


def test_a_terminal_shows_a_bar_with_how_far_it_is(show):
    made, said = show(is_terminal=True)
    with made:
        made.begin("Simulating", 200)
        made.move(50)
        made.look()
    assert LINE in said.getvalue()
    assert "25 %" in said.getvalue()


def test_elsewhere_a_line_comes_now_and_then(show):
    made, said = show(is_terminal=False)
    with made:
        made.begin("Simulating", 200, done=100)
        made.move(50)
        made.look()
    assert said.getvalue().strip() == f"{LINE}; about 1 min left"


def test_money_is_written_by_currency():
    assert (written({}), written({"eur": 5_000_000})) == ("0.00", "EUR 5.00")
    assert written({"eur": 1_234_560_000, "usd": 7}) == "USD 0.00 + EUR 1,234.56"


def test_the_summary_has_a_line_for_each_figure(show):
    made, said = show(is_terminal=False)
    counts = dict.fromkeys(Summary.__dataclass_fields__, 1234)
    made.show(Summary(**{**counts, "mrr_micro": {"usd": 8_000_000}, "cost_micro": {}}), title="Done.")
    lines = [" ".join(line.split()) for line in said.getvalue().splitlines()]
    assert lines[0] == "Done."
    assert {"Accounts 1,234", "Refusals 1,234", "Recovered 1,234", "MRR USD 8.00", "Model cost 0.00"} <= set(lines)
