"""Two accounts of one person become one for Stripe."""

import pytest
from django.core.management import CommandError, call_command

from apps.accounts.models import AuditEntry
from apps.billing import entitlements, inbox, leases, merging, outbox
from apps.billing.errors import NotMergeable
from apps.billing.models import BillingAccount, InvoiceMirror, StripeEvent, SubscriptionMirror
from tests import build, cast
from tests.support import shop
from tests.support.webhooks import body, sign

pytestmark = pytest.mark.django_db


@pytest.fixture
def other(db):
    return entitlements.account_for(cast.ben(), now=build.NOW)


def merge(source, into, reason="the same person"):
    merging.merge(source, into, reason=reason, by=None, now=shop.now())
    for account in (source, into):
        account.refresh_from_db()


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
    shop.become_customer(other)
    before, paying = other.stripe_customer_id, account.stripe_customer_id
    merge(account, other)
    assert other.stripe_customer_id == paying
    assert other.former_customers.get().pk == before
    shop.look(other)
    assert plan_of(other) == "premium"


def test_late_events_of_the_customer_who_moved_reach_the_account_that_has_it(published, account, other):
    shop.become_customer(account)
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
