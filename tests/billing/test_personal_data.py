"""What the archive holds of billing, and what leaves with the person."""

import pytest

from apps.billing import grants, recharges
from apps.billing.grants import Span
from apps.billing.models import (
    AutoRecharge,
    CheckoutAttempt,
    CreditPayment,
    CreditPurchase,
    InvoiceMirror,
    Overage,
    PlanGrant,
    SavedCard,
    StripeEvent,
    SubscriptionMirror,
)
from apps.billing.personal_data import BillingData
from tests import cast
from tests.build import NOW
from tests.support import credit, metering, shop

pytestmark = pytest.mark.django_db


def test_the_archive_holds_ones_own_and_nothing_else(published, account, ana):
    shop.buy(account)
    mine = dict(BillingData().export(ana))
    assert [row["currency"] for row in mine["account"]] == ["usd"]
    assert [(row["plan"], row["card_last4"]) for row in mine["subscriptions"]] == [("premium", "4242")]
    assert [row["total_minor"] for row in mine["invoices"]] == [800]
    assert [row["plan_version__plan"] for row in mine["plans"]] == ["premium"]
    assert all(rows == [] for rows in dict(BillingData().export(cast.mallory())).values())


def test_leaving_drops_the_card_and_keeps_the_invoice(published, account, ana):
    shop.buy(account)
    StripeEvent.objects.create(
        id="evt_1",
        type="x",
        customer=account.stripe_customer_id,
        livemode=False,
        created=NOW,
        received_at=NOW,
        payload={"email": ana.email},
    )
    CheckoutAttempt.objects.create(account=account, lookup_key="x", created_at=NOW, expires_at=NOW)
    # Card, its payment, event, attempt, two letters, and the address that Stripe was told.
    assert BillingData().erase(ana, now=NOW) == 7
    assert SubscriptionMirror.objects.get().card_last4 == ""
    assert StripeEvent.objects.get().payload is None
    assert not CheckoutAttempt.objects.filter(state="open").exists()
    assert InvoiceMirror.objects.count() == 1
    assert BillingData().erase(ana, now=NOW) == 0


def test_a_plan_that_was_given_is_in_the_archive_and_its_reason_leaves(account, ana):
    grants.give(account, "premium", Span(NOW), reason="she wrote to us", by=cast.dana(), now=NOW)
    [row] = dict(BillingData().export(ana))["grants"]
    assert row == {
        "plan": "premium",
        "starts_at": NOW,
        "ends_at": None,
        "revoked_at": None,
        "reason": "she wrote to us",
    }
    assert dict(BillingData().export(cast.mallory()))["grants"] == []
    assert BillingData().erase(ana, now=NOW) == 1
    assert PlanGrant.objects.get().reason == ""


def test_credit_is_in_the_archive_and_its_card_and_wishes_leave(published, account, ana):
    credit.buy(account, 500, saves_card=True)
    wish = {"threshold_micro": 1_000_000, "amount_minor": 500, "most_minor": 5000, "currency": "usd"}
    recharges.set_up(account, **wish, now=shop.now())
    metering.turn_on(account)
    credit.open_page(account)
    mine = dict(BillingData().export(ana))
    assert mine["saved card"] == [{"brand": "visa", "last4": "4242"}]
    assert [(row["amount_minor"], row["state"]) for row in mine["credit purchases"]] == [(500, "paid"), (1000, "open")]
    assert [row["amount_minor"] for row in mine["credit payments"]] == [500]
    assert (mine["auto-recharge"][0]["most_minor"], mine["usage charges"][0]["cap_micro"]) == (5000, 50_000_000)
    assert all(rows == [] for rows in dict(BillingData().export(cast.mallory())).values())
    BillingData().erase(ana, now=shop.now())
    for table in (SavedCard, AutoRecharge, Overage):
        assert not table.objects.exists()
    assert CreditPurchase.objects.values_list("state", flat=True).order_by("created_at").last() == "expired"
    assert CreditPayment.objects.get().amount_minor == 500
