from datetime import UTC, datetime
from uuid import UUID

import pytest

from apps.billing.meters import Meter
from apps.usage import ledger
from apps.usage.limits import Demand
from apps.usage.models import SpendingCap, UsageBucket, UsageLedger
from apps.usage.personal_data import UsageData
from tests import build, cast
from tests.usage.test_ledger import used

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def reserve(account, number):
    demand = Demand(build.plan(), "chat-small", {Meter.MESSAGES: 1})
    build.act(ledger.reserve, account, UUID(int=number), demand, timeout_s=60, now=NOW)


def test_hands_out_the_persons_rows_without_our_cost():
    ana, mallory = build.account(owner=cast.ana()), build.account(owner=cast.mallory())
    for number, account in enumerate((ana, mallory), 1):
        reserve(account, number)
        build.act(ledger.settle, UUID(int=number), used(), now=NOW)
    parts = dict(UsageData().export(ana.owner))
    [row] = parts["ledger"]
    assert (row["model"], row["messages"], row["output_tokens"]) == ("chat-small", 1, 200)
    assert (row["cached_input_tokens"], row["reasoning_tokens"]) == (0, 0)
    assert not {"cost_micro", "cost_currency", "model_price"} & row.keys()
    assert {window["limit_key"] for window in parts["windows"]} == {"concurrency:*:", "messages:chat-small:3h"}
    assert parts["credit"] == parts["caps"] == parts["warnings"] == []


def test_hands_out_credit_caps_and_warnings():
    ana = build.account(owner=cast.ana())
    build.credit(account=ana, amount_micro=5)
    build.cap(account=ana, amount_micro=7)
    build.cap(account=build.account(owner=cast.mallory()), amount_micro=8)
    demand = Demand(build.plan(limits=[build.limit(amount=1)]), "chat-small", {Meter.MESSAGES: 1})
    build.act(ledger.reserve, ana, UUID(int=1), demand, timeout_s=60, now=NOW)
    build.act(ledger.settle, UUID(int=1), used(), now=NOW)
    parts = dict(UsageData().export(ana.owner))
    assert [(row["amount_micro"], row["remaining_micro"]) for row in parts["credit"]] == [(5, 5)]
    assert [row["amount_micro"] for row in parts["caps"]] == [7]
    [warning] = parts["warnings"]
    assert (warning["percent"], warning["bucket__limit_key"]) == (100, "messages:chat-small:3h")


def test_erases_windows_but_neither_the_books_nor_what_is_reserved():
    ana = build.account(owner=cast.ana())
    build.cap(account=ana, amount_micro=7)
    reserve(ana, 1)
    assert UsageData().erase(ana.owner, now=NOW) == 0
    build.act(ledger.settle, UUID(int=1), used(), now=NOW)
    mallory = build.account(owner=cast.mallory())
    build.cap(account=mallory, amount_micro=7)
    reserve(mallory, 2)
    assert UsageData().erase(ana.owner, now=NOW) == 2
    assert set(UsageBucket.objects.values_list("account", flat=True)) == {mallory.pk}
    assert UsageLedger.objects.count() == 1
    assert [cap.account for cap in SpendingCap.objects.all()] == [mallory]
