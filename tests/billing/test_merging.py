"""Two accounts of one person become one for Stripe."""

import pytest
from django.core.management import CommandError, call_command

from apps.accounts.models import AuditEntry
from apps.billing import entitlements, inbox, leases, merging, outbox, recharges
from apps.billing.errors import NotMergeable
from apps.billing.models import (
    AutoRecharge,
    BillingAccount,
    CreditPayment,
    InvoiceMirror,
    Overage,
    SavedCard,
    StripeEvent,
    SubscriptionMirror,
)
from apps.core import ids
from apps.usage import credits
from tests import build, cast
from tests.support import credit, shop
from tests.support.webhooks import body, sign

pytestmark = pytest.mark.django_db


@pytest.fixture
def other(db):
    return entitlements.account_for(cast.ben(), now=build.NOW)


def merge(source, into, reason="the same person"):
    merging.merge(source, into, reason=reason, by=None, now=shop.now())
    for account in (source, into):
        account.refresh_from_db()


def become_customer(account):
    """Known to Stripe, and paying nothing at this moment."""
    shop.become_customer(account)
    account.checkout_attempts.update(state="expired")


def plan_of(account):
    return entitlements.plan_for(account, now=shop.now()).key


def test_what_one_bought_is_the_others(published, account, other):
    shop.buy(account)
    customer, paid = account.stripe_customer_id, SubscriptionMirror.objects.get()
    merge(account, other)
    assert (account.stripe_customer_id, other.stripe_customer_id, other.currency) == (None, customer, "usd")
    assert (plan_of(account), plan_of(other)) == ("free", "premium")
    assert SubscriptionMirror.objects.get().account == InvoiceMirror.objects.get().account == other
    outbox.send_due(clock=shop.now)
    told = published.call("GET", f"/v1/customers/{customer}").json()["metadata"]["account_id"]
    assert told == str(other.pk)
    told = published.call("GET", f"/v1/subscriptions/{paid.pk}").json()["metadata"]["account_id"]
    assert told == str(other.pk)
    for one in (account, other):
        shop.look(one)
    assert (plan_of(account), plan_of(other)) == ("free", "premium")
    assert AuditEntry.objects.filter(action="account.merge", reason="the same person").count() == 2


def test_of_two_customers_the_one_who_pays_is_charged_and_the_other_remembered(published, account, other):
    shop.buy(account)
    become_customer(other)
    before, paying = other.stripe_customer_id, account.stripe_customer_id
    merge(account, other)
    assert other.stripe_customer_id == paying
    assert other.former_customers.get().pk == before
    shop.look(other)
    assert plan_of(other) == "premium"


def test_late_events_of_the_customer_who_moved_reach_the_account_that_has_it(published, account, other):
    become_customer(account)
    shop.buy(other)
    customer = account.stripe_customer_id
    merge(account, other)
    assert other.former_customers.get().pk == customer
    raw = body(customer=customer)
    wanted = other.sync_wanted_seq
    inbox.store(raw, sign(raw, at=shop.now()), now=shop.now())
    other.refresh_from_db()
    assert (other.sync_wanted_seq, StripeEvent.objects.get().account) == (wanted + 1, other)


def test_two_who_pay_are_not_merged(published, account, other):
    shop.buy(account)
    shop.buy(other)
    with pytest.raises(NotMergeable, match="Both accounts pay"):
        merge(account, other)
    account.refresh_from_db()
    assert account.subscriptions.count() == other.subscriptions.count() == 1
    assert not AuditEntry.objects.exists()


def test_what_somebody_fetches_meanwhile_is_thrown_away(published, account, other):
    shop.buy(account)
    lease = leases.claim(account.pk, now=shop.now())
    merge(account, other)
    with pytest.raises(leases.LeaseLost):
        lease.renew(now=shop.now())
    assert BillingAccount.objects.get(pk=other.pk).sync_lease_until is None


@pytest.mark.parametrize("wrong", ["itself", "reason", "left", "livemode"])
def test_what_makes_no_sense_is_refused(account, other, wrong):
    if wrong == "left":
        BillingAccount.objects.filter(pk=other.pk).update(erased_at=build.NOW)
    if wrong == "livemode":
        BillingAccount.objects.filter(pk=other.pk).update(livemode=True)
    with pytest.raises(NotMergeable):
        merge(account, account if wrong == "itself" else other, reason=" " if wrong == "reason" else "x")
    assert not AuditEntry.objects.exists()


def test_the_command_says_what_it_did_or_why_not(account, other):
    said = shop.Quiet()
    call_command("merge_accounts", "ana@example.org", "ben@example.org", "--reason", "the same", stdout=said)
    assert said.getvalue() == "ana@example.org is merged into ben@example.org.\n"
    with pytest.raises(CommandError, match="Nobody has the address"):
        call_command("merge_accounts", "nobody@example.org", "ben@example.org", "--reason", "x")
    with pytest.raises(CommandError, match="with itself"):
        call_command("merge_accounts", "ben@example.org", "ben@example.org", "--reason", "x")


# --- what charges by itself, or is being paid ---
def under_way(account, what):
    now = shop.now()
    match what:
        case "page":
            account.checkout_attempts.create(lookup_key="premium_month_usd", created_at=now, expires_at=now)
        case "credit":
            account.credit_purchases.create(kind="checkout", amount_minor=1000, currency="usd", created_at=now)
        case "agreed" | "unpaid":
            paid = build.stripe_subscription(account=account)
            account.plan_changes.create(subscription=paid, kind="cancel", state=what, created_at=now)
        case "recharge":
            facts = {"threshold_micro": 1, "amount_minor": 1000, "most_minor": 1000, "currency": "usd"}
            AutoRecharge.objects.create(account=account, is_on=True, consented_at=now, changed_at=now, **facts)
        case "charges":
            Overage.objects.create(
                account=account, is_on=True, cap_micro=1, currency="usd", consented_at=now, changed_at=now
            )
        case "usage":
            used(account, state="pending")
        case "last invoice":
            account.outbox.create(kind="end_overage", key="overage-off:1", next_at=now)


def used(account, *, state):
    facts = {"event_name": "causerie_api_usage", "value": 5, "ts": build.NOW, "next_at": build.NOW}
    return account.meter_outbox.create(ledger_id=ids.uuid7(), state=state, **facts)


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("page", "payment page"),
        ("credit", "buying credit"),
        ("agreed", "changing its plan"),
        ("unpaid", "changing its plan"),
        ("recharge", "recharges its credit"),
        ("charges", "has usage charges"),
        ("usage", "is not billed yet"),
        ("last invoice", "is not billed yet"),
    ],
)
def test_while_something_of_either_is_under_way_nothing_moves(account, other, what, words):
    kept = build.stripe_subscription(account=account, status="canceled")
    under_way(account, what)
    for source, into in ((account, other), (other, account)):
        with pytest.raises(NotMergeable, match=words):
            merge(source, into)
    assert SubscriptionMirror.objects.get(pk=kept.pk).account == account
    assert not AuditEntry.objects.exists()


def test_credit_that_was_bought_stays_and_its_payments_go_with_the_customer(published, account, other):
    credit.buy(account, saves_card=True)
    payment, customer = CreditPayment.objects.get(), account.stripe_customer_id
    told = used(account, state="sent")
    recharges.set_up(account, threshold_micro=5, amount_minor=1000, most_minor=1000, currency="usd", now=shop.now())
    recharges.switch_off(account, now=shop.now())
    merge(account, other)
    payment.refresh_from_db(), told.refresh_from_db()
    assert (other.stripe_customer_id, payment.account, payment.purchase.account, told.account) == (
        customer, other, other, other,
    )  # fmt: skip
    assert not AutoRecharge.objects.exists()
    assert not SavedCard.objects.exists()
    credit.look(other)
    assert SavedCard.objects.get().account == other
    assert (credits.balance_micro(account), credits.balance_micro(other)) == (10_000_000, 0)
    credit.refund(published, payment.pk)
    credit.look(other)
    assert (credits.balance_micro(account), credits.balance_micro(other)) == (0, 0)
    assert not other.drift_items.filter(fixed_at=None).exists()


def test_a_change_that_was_only_offered_lapses_and_older_ones_move(account, other):
    paid, now = build.stripe_subscription(account=account), shop.now()
    done, offered = (
        account.plan_changes.create(subscription=paid, kind="cancel", state=state, created_at=now)
        for state in ("done", "offered")
    )
    merge(account, other)
    assert set(other.plan_changes.values_list("pk", "state")) == {(done.pk, "done"), (offered.pk, "lapsed")}
