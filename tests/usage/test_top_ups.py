"""What was paid is granted once; what went back is taken back, down to nothing. Through the local Stripe."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.core import mail

from apps.billing.models import CreditPayment
from apps.core.errors import PaymentNeeded
from apps.privacy import erasures
from apps.usage import credits, sweep, top_ups
from apps.usage.models import CreditAccount, CreditGrant, UsageLedger
from tests import build
from tests.support import credit, shop

TEN = 10_000_000


def moved():
    return list(UsageLedger.objects.order_by("recorded_at").values_list("kind", "credit_micro"))


def balance():
    return CreditAccount.objects.get().balance_micro


def payment():
    return CreditPayment.objects.order_by("-created").first().pk


def test_a_payment_is_granted_once_however_often_it_is_heard_of(published, account):
    credit.buy(account)
    credit.look(account)
    assert top_ups.collect_missed(now=shop.now()) == 0
    grant = CreditGrant.objects.get()
    assert (grant.source, grant.source_ref, grant.amount_micro) == ("purchase", payment(), TEN)
    assert moved() == [("grant", TEN)]
    assert credits.balance_micro(account) == TEN


def test_the_sweep_finds_what_a_lost_nudge_left(published, account):
    shop.pay(credit.open_page(account))
    shop.look(account)
    assert not CreditGrant.objects.exists()
    assert top_ups.collect_missed(now=shop.now()) == 1
    assert balance() == TEN


def test_developers_terms_hold_from_the_first_purchase_and_not_after_it_went_back(published, account):
    plan = build.plan()
    credit.buy(account)
    assert credits.api_terms(account, plan).api_requests_per_minute == 600
    credit.refund(published, payment())
    credit.look(account)
    assert credits.api_terms(account, plan).api_requests_per_minute == 20


def test_a_full_refund_takes_all_of_it_back(published, account):
    credit.buy(account)
    credit.refund(published, payment())
    credit.look(account)
    assert moved() == [("grant", TEN), ("refund", -TEN)]
    assert balance() == 0
    assert CreditGrant.objects.get().remaining_micro == 0


def test_refunds_in_parts_take_so_much_each(published, account):
    credit.buy(account)
    for _time in range(2):
        credit.refund(published, payment(), 300)
        credit.look(account)
        credit.look(account)
    assert moved() == [("grant", TEN), ("refund", -3_000_000), ("refund", -3_000_000)]
    assert balance() == 4_000_000


def test_what_was_used_before_a_refund_is_not_asked_for_again(published, account):
    credit.buy(account)
    credit.spend(account, UUID(int=1), 6_000_000)
    credit.refund(published, payment())
    credit.look(account)
    assert moved() == [("grant", TEN), ("settle", -6_000_000), ("refund", -4_000_000)]
    assert balance() == 0
    credit.buy(account, 500)
    assert balance() == 5_000_000


def test_a_refund_takes_its_own_credit_first_then_what_else_was_bought_then_presents(published, account):
    build.credit(account=account, amount_micro=1_000_000)
    credit.buy(account)
    first = payment()
    credit.spend(account, UUID(int=1), 3_000_000)  # the present, and two of the ten
    credit.buy(account, 500)
    build.act(credits.grant, account, "promo", "late", 2_000_000, "usd", now=shop.now())
    credit.refund(published, first)
    credit.look(account)
    left = dict(CreditGrant.objects.values_list("source_ref", "remaining_micro"))
    assert left[first] == 0
    assert left[payment()] == 3_000_000
    assert left["late"] == 2_000_000
    assert balance() == 5_000_000


def test_a_refund_while_an_answer_runs_leaves_a_debt_of_what_it_costs(published, account):
    credit.buy(account)
    run = UUID(int=1)
    build.act(credit.ledger.reserve_payment, account, run, TEN, currency="usd", timeout_s=60, now=shop.now())
    credit.refund(published, payment())
    credit.look(account)
    assert balance() == 0
    with pytest.raises(PaymentNeeded):
        credit.spend(account, UUID(int=2), 1)
    build.act(
        credit.ledger.settle, run, credit.used(channel="api", price_micro=2_000_000, occurred_at=shop.now()),
        now=shop.now(),
    )  # fmt: skip
    assert balance() == -2_000_000
    debt = UsageLedger.objects.get(kind="debt")
    assert (debt.credit_micro, debt.currency, debt.cost_currency) == (-2_000_000, "usd", "usd")


def test_a_dispute_that_is_lost_leaves_a_debt_of_what_was_used(published, account):
    credit.buy(account)
    credit.spend(account, UUID(int=1), 6_000_000)
    credit.dispute(published, payment(), "lost")
    credit.look(account)
    assert moved() == [("grant", TEN), ("settle", -6_000_000), ("refund", -4_000_000), ("debt", -6_000_000)]
    assert balance() == -6_000_000
    assert credits.debt_micro(account) == 6_000_000
    credit.look(account)
    assert balance() == -6_000_000


def test_a_dispute_that_is_won_takes_nothing(published, account):
    credit.buy(account)
    credit.dispute(published, payment(), "won")
    credit.look(account)
    assert moved() == [("grant", TEN)]


def test_a_refund_that_failed_gives_back_what_was_taken(db, account):
    grant_id = paid(account)
    build.act(credits.follow_refunds, grant_id, 4_000_000, 0, now=build.NOW)
    assert balance() == 6_000_000
    build.act(credits.follow_refunds, grant_id, 0, 0, now=build.NOW)
    assert balance() == TEN
    assert CreditGrant.objects.get().remaining_micro == TEN
    assert [micro for _kind, micro in moved()] == [TEN, -4_000_000, 4_000_000]


def test_nobody_expires_what_a_refund_took(db, account):
    grant_id = paid(account)
    build.act(credits.follow_refunds, grant_id, TEN, 0, now=build.NOW)
    assert sweep.expire_credit(now=build.NOW) == 0
    assert balance() == 0


def test_credit_in_another_currency_is_shown_and_not_granted(published, account):
    build.credit(account=account, amount_micro=1, currency="eur")
    shop.pay(credit.open_page(account))
    credit.look(account)
    assert CreditGrant.objects.filter(source="purchase").count() == 0
    assert account.drift_items.get().kind == "credit_not_granted"
    assert balance() == 1


def test_what_is_paid_after_the_person_left_is_shown_until_it_went_back(published, account):
    page = credit.open_page(account)
    request = erasures.ask_erasure(account.owner, now=shop.now())
    shop.look(account)
    assert erasures.continue_erasure(request.pk, now=shop.now() + timedelta(minutes=1))
    shop.pay(page)
    credit.look(account)
    item = account.drift_items.get()
    assert (item.kind, item.subject, item.severity) == ("credit_not_granted", payment(), "high")
    assert (item.ours, item.stripe) == ("the person has left", "1000 usd")
    assert not CreditGrant.objects.filter(source="purchase").exists()
    credit.refund(published, payment(), 400)
    credit.look(account)
    assert account.drift_items.get().fixed_at is None
    credit.refund(published, payment())
    credit.look(account)
    assert account.drift_items.get().fixed_at is not None
    assert not CreditGrant.objects.filter(source="purchase").exists()
    credit.send_outbox()
    assert mail.outbox == []


def paid(account):
    build.act(credits.grant, account, "purchase", "pi_1", TEN, "usd", now=build.NOW)
    return CreditGrant.objects.get().pk
