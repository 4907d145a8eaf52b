from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext

from apps.core.errors import PaymentNeeded
from apps.usage import credits, ledger, sweep
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
        return build.act(
            ledger.reserve_payment, account, run_id, amount_micro, currency=currency, timeout_s=60, now=NOW
        )


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
    row = build.act(ledger.settle, RUN, used(channel="api", price_micro=450), now=NOW).row
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
    hold(account, 700)
    hold(account, 700)
    assert purse() == (1_000, 700)
    build.act(ledger.release, RUN, now=NOW)
    assert purse() == (1_000, 0)
    hold(account, 600)
    assert purse() == (1_000, 600)


def give(account, ref, amount_micro, source="promo", *, expires_at=None, now=NOW):
    return build.act(credits.grant, account, source, ref, amount_micro, "usd", expires_at=expires_at, now=now)


def left():
    return dict(CreditGrant.objects.values_list("source_ref", "remaining_micro"))


def pay(account, price_micro, number=1, *, now=NOW):
    run_id = UUID(int=number)
    arguments = {"currency": "usd", "timeout_s": 60, "now": now}
    build.act(ledger.reserve_payment, account, run_id, price_micro, **arguments)
    return build.act(ledger.settle, run_id, used(channel="api", price_micro=price_micro), now=now).row


@db
def test_what_was_given_is_spent_before_what_was_bought_and_first_what_ends_first():
    account = build.account()
    give(account, "bought", 100, "purchase", expires_at=NOW + timedelta(days=1))
    give(account, "sorry", 100, "support")
    give(account, "late", 100, expires_at=NOW + timedelta(days=9))
    give(account, "soon", 100, expires_at=NOW + timedelta(days=2))
    pay(account, 150)
    assert left() == {"soon": 0, "late": 50, "sorry": 100, "bought": 100}
    pay(account, 160, 2)
    assert left() == {"soon": 0, "late": 0, "sorry": 0, "bought": 90}
    assert purse() == (90, 0)


@db
def test_what_is_left_when_a_grant_ends_is_gone_and_the_ledger_says_so():
    account = build.account()
    give(account, "soon", 100, expires_at=NOW + timedelta(days=1))
    give(account, "stays", 40)
    pay(account, 30)
    end = NOW + timedelta(days=1)
    assert sweep.expire_credit(now=end - timedelta(seconds=1)) == 0
    assert sweep.expire_credit(now=end) == 1
    assert sweep.expire_credit(now=end) == 0
    assert left() == {"soon": 0, "stays": 40}
    assert purse() == (40, 0)
    row = UsageLedger.objects.get(kind="expire")
    assert (row.credit_micro, row.currency, row.occurred_at) == (-70, "usd", end)
    assert UsageLedger.objects.aggregate(total=Sum("credit_micro"))["total"] == 40


@db
def test_a_call_after_the_end_cannot_use_it_though_nobody_swept():
    account = build.account()
    end = NOW + timedelta(days=1)
    give(account, "soon", 100, expires_at=end)
    with pytest.raises(PaymentNeeded) as refused:
        pay(account, 1, now=end)
    assert refused.value.code == "credit_spent"
    assert purse()[1] == 0
    assert not UsageReservation.objects.exists()


@db
def test_what_a_running_answer_has_set_aside_outlives_the_end_and_the_rest_goes():
    account = build.account()
    end = NOW + timedelta(seconds=30)
    give(account, "soon", 100, expires_at=end)
    hold(account, 60)
    assert sweep.expire_credit(now=end) == 1
    assert (purse(), left()) == ((60, 60), {"soon": 60})
    build.act(ledger.settle, RUN, used(channel="api", price_micro=45), now=end)
    assert (purse(), left()) == ((15, 0), {"soon": 15})
    assert sweep.expire_credit(now=end) == 1
    assert (purse(), left()) == ((0, 0), {"soon": 0})
    gone = UsageLedger.objects.filter(kind="expire").order_by("recorded_at", "id")
    assert [row.credit_micro for row in gone] == [-40, -15]


@db
def test_a_grant_that_has_ended_cannot_be_given():
    account = build.account()
    with pytest.raises(ValueError, match="later than now"):
        give(account, "past", 5, expires_at=NOW)
    assert not CreditGrant.objects.exists()


@db
def test_the_starter_credit_is_in_the_accounts_currency(settings, tmp_path):
    text = Path(settings.CATALOGUE_PATH).read_text(encoding="utf-8")
    settings.CATALOGUE_PATH = tmp_path / "catalogue.toml"
    settings.CATALOGUE_PATH.write_text(text.replace("eur = 1_000_000 }", "eur = 900_000 }"))
    pays_euros = build.account(owner=build.person(email="e@example.org"), currency="eur")
    build.act(credits.grant_starter_credit, pays_euros, now=NOW)
    assert CreditAccount.objects.get().currency == "eur"
    assert credits.balance_micro(pays_euros) == 900_000


@db
def test_an_answer_that_costs_more_than_is_left_leaves_a_debt_that_the_next_grant_pays():
    account = funded(100)
    hold(account, 100)
    row = build.act(ledger.settle, RUN, used(channel="api", price_micro=130), now=NOW).row
    assert purse() == (-30, 0)
    assert row.credit_micro == -100
    debt = UsageLedger.objects.get(kind="debt")
    assert (debt.credit_micro, debt.price_micro, debt.run_id) == (-30, 0, RUN)
    assert credits.balance_micro(account) == 0
    give(account, "more", 50, "support")
    assert credits.balance_micro(account) == 20
    assert left() == {"test": 0, "more": 20}


@db
def test_bought_credit_is_earned_when_it_is_used_or_ends_and_given_credit_never():
    """C19 of metrics.md: 20.00 bought, 7.50 used, the rest ends a month later."""
    account, end = build.account(), NOW + timedelta(days=30)
    give(account, "bought", 20_000_000, "purchase", expires_at=end)
    give(account, "welcome", 1_000_000)
    assert pay(account, 8_500_000).earned_micro == 7_500_000
    sweep.expire_credit(now=end)
    earned = UsageLedger.objects.filter(earned_micro__gt=0).order_by("occurred_at").values_list("kind", "earned_micro")
    assert list(earned) == [("settle", 7_500_000), ("expire", 12_500_000)]


@db
def test_what_a_debt_took_is_earned_when_a_purchase_pays_it():
    account = funded(100)
    hold(account, 100)
    assert build.act(ledger.settle, RUN, used(channel="api", price_micro=130), now=NOW).row.earned_micro == 0
    give(account, "bought", 50, "purchase")
    assert UsageLedger.objects.get(kind="grant", credit_micro=50).earned_micro == 30


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
            hold(account, 600, UUID(int=number + 1))
        except PaymentNeeded as refused:
            return refused.code
        return "held"

    answers = at_once(2, take)
    assert sorted(answers) == ["credit_spent", "held"]
    assert purse() == (1_000, 600)
