from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext

from apps.core.errors import PaymentNeeded
from apps.usage import credits, ledger
from apps.usage.limits import Demand
from apps.usage.models import CreditAccount, CreditGrant, UsageLedger, UsageReservation
from tests import build
from tests.usage.test_ledger import used
from tests.usage.test_ledger_races import at_once

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
RUN, OTHER_RUN = UUID(int=1), UUID(int=2)
db = pytest.mark.django_db


def funded(amount_micro=1_000):
    account = build.account()
    with transaction.atomic():
        build.act(credits.grant, account, "support", "test", amount_micro, "usd", now=NOW)
    return account


def hold(account, amount_micro, run_id=RUN, currency="usd"):
    with transaction.atomic():
        return build.act(ledger.reserve_credit, account, run_id, amount_micro, currency=currency, timeout_s=60, now=NOW)


def purse():
    credit = CreditAccount.objects.get()
    return credit.balance_micro, credit.reserved_micro


@db
def test_the_starter_credit_is_given_once():
    account = build.account()
    assert build.act(credits.grant_starter_credit, account, now=NOW)
    assert not build.act(credits.grant_starter_credit, account, now=NOW)
    assert credits.balance_micro(account) == 1_000_000
    grant = CreditGrant.objects.get()
    assert (grant.source, grant.source_ref, grant.amount_micro) == ("promo", f"starter:{account.pk}", 1_000_000)
    row = UsageLedger.objects.get()
    assert (row.kind, row.credit_micro, row.price_micro, row.currency) == ("grant", 1_000_000, 0, "usd")


@db
def test_a_grant_is_more_than_nothing_and_in_the_accounts_currency():
    account = funded()
    with pytest.raises(ValueError, match="more than nothing"):
        build.act(credits.grant, account, "support", "zero", 0, "usd", now=NOW)
    with pytest.raises(ValueError, match="is not in eur"), transaction.atomic():
        build.act(credits.grant, account, "support", "other", 5, "eur", now=NOW)
    assert CreditGrant.objects.count() == 1
    assert purse() == (1_000, 0)


@db
def test_credit_is_set_aside_then_spent_at_its_real_price():
    account = funded()
    hold(account, 700)
    assert purse() == (1_000, 700)
    assert credits.balance_micro(account) == 300
    row = build.act(ledger.settle, RUN, used(channel="api", price_micro=450), now=NOW)
    assert purse() == (550, 0)
    assert (row.price_micro, row.credit_micro) == (450, -450)


@db
def test_refuses_what_is_not_covered_and_takes_nothing():
    account = funded()
    with pytest.raises(PaymentNeeded) as refused:
        hold(account, 1_001)
    assert (refused.value.code, refused.value.refusal.lifted_by) == ("credit_spent", "credit")
    assert purse() == (1_000, 0)
    assert not UsageReservation.objects.exists()


@db
def test_refuses_another_currency_and_an_account_without_credit():
    with pytest.raises(PaymentNeeded):
        hold(funded(), 1, currency="eur")
    with pytest.raises(PaymentNeeded):
        hold(build.account(owner=build.person(email="other@example.org")), 1)
    assert purse() == (1_000, 0)


@db
def test_the_condition_stands_in_the_update():
    account = funded()
    with CaptureQueriesContext(connection) as captured:
        hold(account, 700)
    [update] = [query["sql"] for query in captured if query["sql"].startswith('UPDATE "usage_creditaccount"')]
    where = update.partition(" WHERE ")[2]
    assert '"balance_micro" >= ("usage_creditaccount"."reserved_micro" + 700)' in where


@db
def test_the_same_run_holds_once_and_a_released_one_asks_again():
    account = funded()
    assert hold(account, 700) == hold(account, 700)
    build.act(ledger.release, RUN, now=NOW)
    assert purse() == (1_000, 0)
    hold(account, 600)
    assert purse() == (1_000, 600)


@db
def test_an_answer_that_costs_more_than_is_left_leaves_a_debt_that_the_next_grant_pays():
    account = funded(100)
    hold(account, 100)
    row = build.act(ledger.settle, RUN, used(channel="api", price_micro=130), now=NOW)
    assert purse() == (-30, 0)
    assert row.credit_micro == -100
    debt = UsageLedger.objects.get(kind="debt")
    assert (debt.credit_micro, debt.price_micro, debt.run_id) == (-30, 0, RUN)
    assert credits.balance_micro(account) == 0
    build.act(credits.grant, account, "support", "more", 50, "usd", now=NOW)
    assert credits.balance_micro(account) == 20


@db
def test_the_balance_is_the_sum_of_the_ledger():
    account = funded(1_000)
    hold(account, 500)
    hold(account, 300, OTHER_RUN)
    build.act(ledger.settle, RUN, used(channel="api", price_micro=1_200), now=NOW)
    build.act(ledger.release, OTHER_RUN, now=NOW)
    assert purse() == (-200, 0)
    assert UsageLedger.objects.aggregate(total=Sum("credit_micro"))["total"] == -200


@db
def test_an_api_run_takes_a_slot_and_credit_and_gives_both_back():
    account = funded()
    plan = build.plan(models=(), limits=[], concurrency=1)
    build.act(ledger.reserve, account, RUN, Demand(plan, "chat-small", {}), timeout_s=60, now=NOW)
    hold(account, 700)
    build.act(ledger.settle, RUN, used(channel="api", price_micro=400), now=NOW)
    assert purse() == (600, 0)
    assert set(UsageReservation.objects.values_list("state", flat=True)) == {"settled"}


@pytest.mark.django_db(transaction=True)
def test_two_that_race_for_the_last_of_it_do_not_both_get_it():
    account = funded(1_000)

    def take(number):
        try:
            return hold(account, 600, UUID(int=number + 1))
        except PaymentNeeded as refused:
            return refused

    answers = at_once(2, take)
    assert sorted(type(answer).__name__ for answer in answers) == ["PaymentNeeded", "UsageReservation"]
    assert purse() == (1_000, 600)
