"""Auto-recharge: one charge at a time, up to a sum a month; a refused card switches it off."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.core import mail
from django.db import connection, transaction

from apps.billing import entitlements, recharges
from apps.billing.errors import NoSavedCard
from apps.billing.models import AutoRecharge, BillingAccount, CreditPayment, CreditPurchase, SavedCard, StripeOutbox
from apps.usage import credits, top_ups
from apps.usage.models import CreditGrant
from tests import build, cast
from tests.support import credit, shop

REFUSING, ASKING = "pm_card_chargeCustomerFail", "pm_card_authenticationRequired"


def wish(account, **changes):
    facts = {"threshold_micro": 5_000_000, "amount_minor": 2500, "most_minor": 10_000, "currency": "usd"}
    recharges.set_up(account, **facts | changes, now=shop.now())


@pytest.fixture
def saver(published, account):
    """Has bought ten with a card that stays, and wants more below five."""
    credit.buy(account, saves_card=True)
    wish(account)
    return account


def use(account, method):
    """Replace the saved card by one that behaves in another way."""
    SavedCard.objects.filter(account=account).update(payment_method_id=method)


def made(published, account):
    found = published.objects("payment_intent")
    return [one for one in found if one["customer"] == account.stripe_customer_id and one["amount"] == 2500]


def letters():
    return [row.payload["letter"] for row in StripeOutbox.objects.filter(kind="mail").order_by("next_at")]


def step(account, *, at=None):
    """What the jobs do: look whether little is left, charge, look at Stripe, grant."""
    top_ups.recharge_if_low(account.pk, now=at or shop.now())
    credit.send_outbox()
    credit.look(account)


def test_a_call_that_leaves_little_charges_the_card_once(published, saver):
    credit.spend(saver, UUID(int=1), 5_000_001)
    step(saver)
    step(saver)
    assert len(made(published, saver)) == 1
    purchase = CreditPurchase.objects.recharges().get()
    assert (purchase.state, purchase.amount_minor) == ("paid", 2500)
    assert credits.balance_micro(saver) == 4_999_999 + 25_000_000
    assert list(CreditGrant.objects.order_by("granted_at").values_list("amount_micro", flat=True)) == [
        10_000_000,
        25_000_000,
    ]
    [intent] = made(published, saver)
    assert intent["metadata"]["purchase_id"] == str(purchase.pk)
    assert saver.payments.get(pk=intent["id"]).invoice is None


def test_the_charge_is_told_by_letter(published, saver):
    credit.spend(saver, UUID(int=1), 9_000_000)
    step(saver)
    credit.send_outbox()
    [letter] = [one for one in mail.outbox if one.subject == "Your API credit was recharged"]
    assert "so we charged your card for $25," in letter.body
    assert "Visa •••• 4242" in letter.body
    assert "/settings/credit/" in letter.body


def test_the_job_is_nudged_by_the_call_that_passes_the_threshold_and_by_no_other(
    saver, django_capture_on_commit_callbacks
):
    def nudges(run, price_micro):
        with django_capture_on_commit_callbacks() as callbacks:
            credit.spend(saver, UUID(int=run), price_micro)
        return len(callbacks)

    assert nudges(1, 5_000_000) == 0
    assert nudges(2, 1) == 1
    assert nudges(3, 1) == 0


def test_enough_credit_charges_nothing(published, saver):
    credit.spend(saver, UUID(int=1), 5_000_000)
    step(saver)
    assert made(published, saver) == []
    assert not CreditPurchase.objects.recharges().exists()


def test_what_is_off_charges_nothing(published, saver):
    recharges.switch_off(saver, now=shop.now())
    credit.spend(saver, UUID(int=1), 9_000_000)
    step(saver)
    assert made(published, saver) == []


@pytest.mark.parametrize("trouble", [{"hold_reason": "dispute"}, {"delinquent_since": build.NOW}])
def test_a_held_or_unpaid_account_is_not_charged(published, saver, trouble):
    credit.spend(saver, UUID(int=1), 9_000_000)
    BillingAccount.objects.filter(pk=saver.pk).update(**trouble)
    assert not top_ups.recharge_if_low(saver.pk, now=shop.now())
    assert not CreditPurchase.objects.recharges().exists()


@pytest.mark.parametrize(("method", "code"), [(REFUSING, "card_declined"), (ASKING, "authentication_required")])
def test_a_refused_card_switches_it_off_with_one_letter_and_is_not_tried_again(published, saver, method, code):
    card = published.call("POST", f"/v1/payment_methods/{method}/attach", {"customer": saver.stripe_customer_id}).json()
    use(saver, card["id"])
    credit.spend(saver, UUID(int=1), 9_000_000)
    for _time in range(3):
        step(saver)
    assert len(made(published, saver)) == 1
    purchase = CreditPurchase.objects.recharges().get()
    assert (purchase.state, purchase.failure_code) == ("failed", code)
    assert purchase.closed_at is not None
    off = AutoRecharge.objects.get()
    assert (off.is_on, off.off_reason) == (False, code)
    assert letters().count("recharge_failed") == 1
    assert credits.balance_micro(saver) == 1_000_000


def test_who_turns_it_on_again_after_a_refusal_is_charged_again(published, saver):
    method = published.call(
        "POST", f"/v1/payment_methods/{REFUSING}/attach", {"customer": saver.stripe_customer_id}
    ).json()["id"]
    use(saver, method)
    credit.spend(saver, UUID(int=1), 9_000_000)
    step(saver)
    assert published.call("POST", f"/v1/payment_methods/{method}/detach").status_code == 200
    credit.look(saver)
    wish(saver)
    step(saver)
    assert AutoRecharge.objects.get().is_on
    assert credits.balance_micro(saver) == 26_000_000


def test_a_card_that_is_gone_switches_it_off(published, saver):
    SavedCard.objects.all().delete()
    credit.spend(saver, UUID(int=1), 9_000_000)
    top_ups.recharge_if_low(saver.pk, now=shop.now())
    credit.send_outbox()
    shop.look(saver)
    assert AutoRecharge.objects.get().off_reason == "no_card"
    assert made(published, saver) == []


def test_an_answer_that_was_lost_is_not_charged_twice(published, saver):
    credit.spend(saver, UUID(int=1), 9_000_000)
    published.fault("timeout_after", count=1, match="/v1/payment_intents", seconds=0.05)
    top_ups.recharge_if_low(saver.pk, now=shop.now())
    credit.send_outbox()
    StripeOutbox.objects.filter(kind="recharge").update(next_at=shop.now())
    credit.send_outbox()
    credit.look(saver)
    assert len(made(published, saver)) == 1
    assert credits.balance_micro(saver) == 26_000_000


def test_what_stripe_never_answered_is_tried_again_under_the_same_key(published, saver):
    credit.spend(saver, UUID(int=1), 9_000_000)
    published.fault("timeout_before", count=4, match="/v1/payment_intents", seconds=0.05)
    top_ups.recharge_if_low(saver.pk, now=shop.now())
    credit.send_outbox()
    assert CreditPurchase.objects.recharges().get().state == "open"
    published.http.request("DELETE", "/_sandbox/api/faults", json={})
    StripeOutbox.objects.filter(kind="recharge").update(next_at=shop.now())
    credit.send_outbox()
    credit.look(saver)
    assert len(made(published, saver)) == 1
    assert StripeOutbox.objects.get(kind="recharge").key == f"recharge:{saver.pk}:1"


def test_a_month_has_a_most_and_says_so_once(published, saver):
    wish(saver, amount_minor=2500, most_minor=4900)
    credit.spend(saver, UUID(int=1), 9_000_000)
    step(saver)
    credit.spend(saver, UUID(int=2), 25_000_000)
    step(saver)
    step(saver)
    assert len(made(published, saver)) == 1
    assert letters().count("recharge_month_full") == 1
    assert credits.balance_micro(saver) == 1_000_000


@pytest.mark.django_db
def test_the_next_month_has_room_again(account):
    december, january = datetime(2026, 12, 31, 23, 59, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    facts = {"kind": "recharge", "amount_minor": 2500, "currency": "usd", "created_at": december}
    CreditPurchase.objects.create(account=account, state="paid", **facts)
    assert recharges.charged_this_month(account, now=december) == 2500
    assert recharges.charged_this_month(account, now=january) == 0


@pytest.mark.django_db
def test_one_that_was_never_charged_does_not_stand_in_the_way_for_ever(account):
    old = shop.now() - timedelta(days=6)
    purchase = CreditPurchase.objects.create(
        account=account, kind="recharge", amount_minor=2500, currency="usd", created_at=old
    )
    build.act(recharges.end_failed, account, now=shop.now())
    purchase.refresh_from_db()
    assert (purchase.state, purchase.failure_code) == ("failed", "not_charged")


def test_it_cannot_be_set_up_without_a_card(published, account):
    with pytest.raises(NoSavedCard):
        wish(account)
    assert not AutoRecharge.objects.exists()


def test_a_card_that_paid_a_plan_will_do(published, account):
    shop.buy(account)
    wish(account)
    assert SavedCard.objects.get(account=account).last4 == "4242"


@pytest.mark.django_db(transaction=True)
def test_of_many_jobs_at_once_one_begins():
    account = entitlements.account_for(cast.ana(), now=shop.now())
    facts = {"threshold_micro": 1, "amount_minor": 500, "most_minor": 9000, "currency": "usd", "is_on": True}
    AutoRecharge.objects.create(account=account, **facts, consented_at=build.NOW, changed_at=build.NOW)

    def begin(_number):
        try:
            with transaction.atomic():
                return recharges.begin(BillingAccount.objects.get(pk=account.pk), now=shop.now())
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(begin, range(8))) == [False] * 7 + [True]
    assert CreditPurchase.objects.count() == 1
    assert CreditPayment.objects.count() == 0
