"""What an answer costs, from the back end's report to the ledger's row."""

from pathlib import Path

import pytest

from apps.billing.models import ModelPrice
from apps.inference import runs
from apps.inference.models import Run
from apps.usage.models import UsageLedger, UsageReservation
from tests import build
from tests.inference.test_token_counts import ANTHROPIC, DEEPSEEK, OPENAI, XAI
from tests.support.answers import NOW, ledger_of, messages_used, slots_held, text_of, wait_for
from tests.support.provider import Drop, frame

pytestmark = pytest.mark.django_db(transaction=True)
RATES = """\
cost.input = 100_000
cost.output = 400_000
cost.cached_input = 10_000
cost.cache_write = 125_000
cost.image_input = 200_000
price.usd.input = 1_000_000
price.usd.output = 4_000_000
price.usd.cached_input = 100_000
price.usd.cache_write = 1_250_000
price.usd.image_input = 2_000_000
price.eur = { input = 900_000, output = 3_600_000, cached_input = 90_000 }
"""

CLASSES = (
    "input_tokens",
    "cached_input_tokens",
    "cache_write_tokens",
    "image_input_tokens",
    "output_tokens",
    "reasoning_tokens",
)
NOTHING = [("none", 0, 0, 0, 0, 0)]


@pytest.fixture
def sell(settings, tmp_path):
    """Sell the small model at these rates, served by a back end that counts by a convention."""
    shipped = Path(settings.CATALOGUE_PATH).read_text(encoding="utf-8")

    def sell(usage="openai", rates=RATES):
        head, rest = shipped.split("cost = { input = 20_000", 1)
        rest = rest[rest.index("\n[models.chat-large]") :]
        text = head.replace("[backends.local]\n", f'[backends.local]\nusage = "{usage}"\n') + rates + rest
        settings.CATALOGUE_PATH = tmp_path / f"{usage}-{hash(rates)}.toml"
        settings.CATALOGUE_PATH.write_text(text, encoding="utf-8")

    return sell


def row_of(run):
    return UsageLedger.objects.get(run_id=run.pk)


def classes_of(run):
    return tuple(getattr(row_of(run), name) for name in CLASSES)


@pytest.mark.parametrize(
    ("reported", "booked"),
    [
        # 86 × 1 + 1920 × 0.1 + 300 × 4 = 1478; 86 × 0.1 + 1920 × 0.01 + 300 × 0.4 = 147.8
        (("openai", OPENAI), ((2006, 1920, 0, 0, 300, 128), (1478, 148))),
        # 15 × 1 + 1008 × 0.1 + 256 × 2 + 586 × 4 = 2971.8; 1.5 + 10.08 + 51.2 + 234.4 = 297.18
        (("xai", XAI), ((1279, 1008, 0, 256, 586, 556), (2972, 298))),
        # 92 × 1 + 1408 × 0.1 + 420 × 4 = 1912.8; 9.2 + 14.08 + 168 = 191.28
        (("deepseek", DEEPSEEK), ((1500, 1408, 0, 0, 420, 300), (1913, 192))),
        # 21 × 1 + 100000 × 0.1 + 188 × 1.25 + 393 × 4 = 11828; 2.1 + 1000 + 23.5 + 157.2 = 1182.8
        (("anthropic", ANTHROPIC), ((100_209, 100_000, 188, 0, 393, 0), (11_828, 1183))),
    ],
)
def test_each_kind_of_token_is_paid_by_its_rate_whatever_the_server_calls_it(
    account, course, provider, sell, reported, booked
):
    (convention, usage), (counts, micro) = reported, booked
    sell(convention)
    build.credit(account=account, amount_micro=1_000_000)
    provider.answer("paid", usage=usage)
    run = course.execute(build.run(account=account, channel="api"))
    assert (run.state, run.provenance) == ("succeeded", "reported")
    assert classes_of(run) == counts
    assert (row_of(run).price_micro, row_of(run).cost_micro) == micro
    assert (run.cached_input_tokens, run.reasoning_tokens) == (counts[1], counts[5])
    account.credit.refresh_from_db()
    assert (account.credit.balance_micro, account.credit.reserved_micro) == (1_000_000 - micro[0], 0)


def test_credit_in_euros_pays_the_price_in_euros_and_the_model_costs_us_dollars(account, course, provider, sell):
    sell()
    build.credit(account=account, amount_micro=1_000_000, currency="eur")
    provider.answer("paid", usage=OPENAI)
    row = row_of(course.execute(build.run(account=account, channel="api")))
    # 86 × 0.9 + 1920 × 0.09 + 300 × 3.6 = 1330.2
    assert (row.price_micro, row.credit_micro, row.currency) == (1331, -1331, "eur")
    assert (row.cost_micro, row.cost_currency) == (148, "usd")
    assert row.model_price.rates["price"]["eur"]["cached_input"] == 90_000


def test_what_is_set_aside_is_the_counted_prompt_and_the_longest_answer(account, course, provider):
    build.credit(account=account, amount_micro=1_000, currency="eur")
    gate = provider.hang()
    run = build.run(account=account, channel="api")
    with course.executing(run):
        gate.wait_reached()
        account.credit.refresh_from_db()
        assert account.credit.reserved_micro == 16  # 9 × 0.05 + 100 × 0.15 = 15.45
        gate.open()
    account.credit.refresh_from_db()
    assert account.credit.reserved_micro == 0


@pytest.mark.parametrize("channel", ["api", "chat"])
def test_f37_without_a_price_in_the_accounts_currency_no_model_is_called(account, course, provider, channel):
    build.credit(account=account, amount_micro=1_000_000, currency="gbp")
    run = course.execute(build.run(account=account, channel=channel))
    assert (run.state, run.error_code) == ("failed", "model_unpriced")
    assert provider.requests == []
    assert (ledger_of(run), messages_used(account), slots_held(account)) == ([], [], 0)
    assert UsageReservation.objects.count() == ModelPrice.objects.count() == 0
    account.credit.refresh_from_db()
    assert (account.credit.balance_micro, account.credit.reserved_micro) == (1_000_000, 0)


def test_rates_that_change_while_an_answer_is_made_leave_it_at_those_it_began_with(account, course, provider, sell):
    sell()
    build.credit(account=account, amount_micro=1_000_000)
    gate = provider.gate()
    provider.answer("begun ", gate, "before", usage=OPENAI)
    run = build.run(account=account, channel="api")
    with course.executing(run):
        gate.wait_reached()
        sell(rates=RATES.replace("usd.input = 1_000_000", "usd.input = 9_000_000"))
        gate.open()
    provider.answer("after", usage=OPENAI)
    later = course.execute(build.run(account=account, channel="api"))
    assert [(row_of(r).price_micro, row_of(r).model_price.version) for r in (run, later)] == [(1478, 1), (2166, 2)]


def test_the_rates_of_a_chat_are_written_down_too(account, course, provider):
    first, second = (course.execute(build.run(account=account)) for _ in range(2))
    assert row_of(first).model_price == row_of(second).model_price == ModelPrice.objects.get()
    assert (row_of(first).currency, row_of(first).cost_currency) == ("usd", "usd")


@pytest.mark.parametrize(
    "usage",
    [
        {"prompt_tokens": 5, "completion_tokens": -1},
        {"prompt_tokens": 5, "completion_tokens": 10**12},
        {"prompt_tokens": 5, "completion_tokens": "three"},
        {"prompt_tokens": True, "completion_tokens": 3},
        {"prompt_tokens": 5, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 6}},
        {"prompt_tokens": 5, "completion_tokens": 0},  # though text came
        {"prompt_tokens": 0, "completion_tokens": 3},  # though it was asked something
        {"input_tokens": 5},
        [5, 3],
        "5+3",
    ],
)
def test_a_report_that_cannot_be_true_fails_no_answer_and_is_not_booked(account, course, provider, usage):
    provider.answer(" one", " two", " three", usage=usage)
    run = course.execute(build.run(account=account))
    assert (run.state, run.error_code, run.text) == ("succeeded", "", " one two three")
    assert ledger_of(run) == [("estimated", 1, 9, 3, 0, 1)]
    assert len(provider.requests) == 1


def test_a_muddled_last_report_is_not_mended_by_an_earlier_one(account, course, provider):
    running = frame("m", {"content": " one"}, usage=(70, 1))
    provider.answer(running, " two", usage={"prompt_tokens": 70, "completion_tokens": -2})
    assert ledger_of(course.execute(build.run(account=account)))[0][:4] == ("estimated", 1, 9, 2)


RUNNING = {"prompt_tokens": 70, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 64}}


def test_a_stopped_answer_pays_the_input_that_was_told_and_the_output_that_came(account, course, provider):
    gate = provider.gate()
    provider.answer(frame("m", {"content": " word"}, usage=RUNNING), *[" word"] * 11, gate, "never seen")
    run = build.run(account=account)
    with course.executing(run):
        gate.wait_reached()
        wait_for(lambda: text_of(run) == " word" * 12)
        runs.request_stop(Run.objects.get(pk=run.pk), now=NOW)
    assert (run.state, run.provenance) == ("stopped", "estimated")
    assert classes_of(run) == (70, 64, 0, 0, 12, 0)


def test_a_report_that_text_follows_tells_the_input_alone(account, course, provider):
    provider.answer(frame("m", {"content": " word"}, usage=RUNNING), *[" word"] * 11, usage=None)
    run = course.execute(build.run(account=account))
    assert (run.state, run.provenance) == ("succeeded", "estimated")
    assert classes_of(run) == (70, 64, 0, 0, 12, 0)


def test_a_report_that_comes_with_every_piece_counts_to_the_last(account, course, provider):
    pieces = [frame("m", {"content": " word"}, usage=(70, number)) for number in range(1, 5)]
    provider.answer(*pieces, usage=None)
    assert ledger_of(course.execute(build.run(account=account)))[0][:4] == ("reported", 1, 70, 4)


def test_stopped_after_the_last_report_that_report_holds(account, course, provider):
    gate = provider.gate()
    ending = frame("m", finish="stop"), frame("m", usage=(10, 7))
    provider.answer("All of it", *ending, gate, usage=None, finish=None)
    run = build.run(account=account)
    with course.executing(run):
        gate.wait_reached()
        wait_for(lambda: text_of(run) == "All of it")
        runs.request_stop(Run.objects.get(pk=run.pk), now=NOW)
    assert ledger_of(run)[0][:4] == ("reported", 1, 10, 7)


def test_a_cut_answer_pays_the_input_that_was_told_and_the_output_that_came(account, course, provider):
    gate = provider.gate()
    gate.open()
    provider.answer(frame("m", {"content": " half"}, usage=RUNNING), " an", gate, Drop())
    run = course.execute(build.run(account=account))
    assert (run.state, run.error_code) == ("failed", "answer_cut_off")
    assert classes_of(run) == (70, 64, 0, 0, 2, 0)


@pytest.mark.parametrize("channel", ["api", "chat"])
def test_what_fails_before_the_first_token_pays_nothing_though_the_server_told_its_input(
    account, course, provider, channel
):
    build.credit(account=account, amount_micro=1_000_000)
    for _ in range(3):
        provider.answer(
            frame("m", usage=RUNNING), b'data: {"error": {"code": "overloaded"}}\n\n', usage=None, finish=None
        )
    run = course.execute(build.run(account=account, channel=channel))
    assert (run.state, run.error_code) == ("failed", "model_unavailable")
    assert len(provider.requests) == 3
    assert (ledger_of(run), classes_of(run)) == (NOTHING, (0,) * 6)
    account.credit.refresh_from_db()
    assert (account.credit.balance_micro, account.credit.reserved_micro) == (1_000_000, 0)


def test_thinking_that_nobody_reported_is_counted_as_output(account, course, provider):
    gate = provider.gate()
    gate.open()
    provider.answer(frame("m", {"reasoning_content": " word" * 20}), " yes", gate, usage=None)
    assert classes_of(course.execute(build.run(account=account))) == (9, 0, 0, 0, 21, 20)
