"""What Stripe keeps of payments, from the local Stripe."""

import pytest

from apps.billing import fees, stripe_gateway
from apps.billing.errors import MissingAtStripe, PaymentsAway
from apps.billing.models import PaymentMirror
from tests import build
from tests.support import shop

pytestmark = pytest.mark.django_db


def read(at_most=10):
    return fees.read_due(stripe_gateway.background(), at_most=at_most, clock=shop.now)


@pytest.mark.parametrize(("interval", "kept"), [("month", 53), ("year", 274)])
def test_the_fee_of_a_payment_is_read_once(published, account, interval, kept):
    shop.buy(account, interval=interval)
    before = PaymentMirror.objects.get()
    assert before.fee_minor is None
    assert (read(), read()) == (1, 0)
    row = PaymentMirror.objects.get()
    assert (row.fee_minor, row.fee_currency) == (kept, "usd")
    assert row.available_on > row.created
    assert row.synced_at > before.synced_at


def test_a_look_at_stripe_leaves_the_fee(published, account):
    shop.buy(account)
    read()
    shop.look(account)
    assert PaymentMirror.objects.get().fee_minor == 53


def test_what_was_declined_has_no_fee(published, account):
    shop.buy(account, card=shop.DECLINED)
    assert read() == 0


def test_so_many_are_asked_for_in_a_run_and_each_says_when_it_changed(published, account):
    shop.buy(account)
    shop.buy(build.account(owner=build.person(email="second@example.org")))
    assert read(at_most=1) == 1
    assert sorted(PaymentMirror.objects.values_list("fee_minor", flat=True), key=str) == [53, None]
    moments = iter((shop.now(), shop.now()))
    PaymentMirror.objects.update(fee_minor=None)
    assert fees.read_due(stripe_gateway.background(), at_most=9, clock=lambda: next(moments)) == 2
    assert PaymentMirror.objects.values("synced_at").distinct().count() == 2


def test_one_that_stripe_does_not_know_keeps_no_other_waiting(published, account):
    shop.buy(account)
    paid = PaymentMirror.objects.get()
    PaymentMirror.objects.create(
        stripe_payment_intent_id="pi_lost", stripe_charge_id="ch_lost", account=account, status="succeeded",
        amount_minor=8_00, currency="usd", created=shop.now(), synced_at=shop.now(),
    )  # fmt: skip
    assert read() == 1
    paid.refresh_from_db()
    assert paid.fee_minor == 53


def test_a_charge_that_is_gone_and_one_that_is_not_booked_wait(published, account, monkeypatch):
    shop.buy(account)
    monkeypatch.setattr(stripe_gateway.Gateway, "fetch_fee", lambda *_: None)
    assert read() == 0

    def gone(*_arguments):
        raise MissingAtStripe

    monkeypatch.setattr(stripe_gateway.Gateway, "fetch_fee", gone)
    assert read() == 0
    assert PaymentMirror.objects.get().fee_minor is None


def test_where_stripe_is_away_the_next_run_goes_on(published, account, monkeypatch):
    shop.buy(account)

    def away(*_arguments):
        raise PaymentsAway

    with monkeypatch.context() as patched:
        patched.setattr(stripe_gateway.Gateway, "fetch_fee", away)
        with pytest.raises(PaymentsAway):
            read()
    assert read() == 1
