"""What a look reads: all of it the first time, afterwards what may have changed."""

from datetime import timedelta

import pytest
from django.db import transaction

from apps.billing import customers, fetching, stripe_gateway, sync
from apps.billing.models import (
    InvoiceMirror,
    PaymentMirror,
    RefundMirror,
    StripeEvent,
    SubscriptionMirror,
)
from tests.support import shop

pytestmark = pytest.mark.django_db
MONTHS = 5


class Counting:
    """A gateway that remembers which invoices were asked for."""

    def __init__(self):
        self.gateway, self.listed, self.single = stripe_gateway.patient(), [], []

    def __getattr__(self, name):
        return getattr(self.gateway, name)

    def list_invoices(self, customer, *, since=None):
        found = list(self.gateway.list_invoices(customer, since=since))
        self.listed += [invoice.id for invoice in found]
        return found

    def fetch_invoice(self, key):
        self.single.append(key)
        return self.gateway.fetch_invoice(key)


def asked(account):
    """Ids of invoices that a look reads from lists, and one by one."""
    account.refresh_from_db()
    gateway = Counting()
    fetching.fetch(account, gateway, lambda: None)
    return gateway.listed, gateway.single


@pytest.fixture
def old(published, account):
    """Somebody who pays for half a year already; ids of the invoices, the oldest first."""
    shop.buy(account)
    for _month in range(MONTHS):
        at = SubscriptionMirror.objects.get().current_period_end + timedelta(hours=2)
        shop.pass_time(published, account, to=at)
        shop.look(account, at=at)
    keys = list(InvoiceMirror.objects.order_by("created").values_list("pk", flat=True))
    assert len(keys) == MONTHS + 1
    return keys


def test_reads_only_the_latest_of_many_invoices(old, account):
    listed, single = asked(account)
    assert set(listed) <= set(old[-3:])
    assert old[-1] in listed
    assert single == []


def test_reads_every_invoice_when_all_is_wanted(old, account):
    sync.want(account, is_full=True)
    assert set(asked(account)[0]) == set(old)
    shop.look(account)
    assert set(asked(account)[0]) < set(old)


def test_reads_an_old_invoice_that_is_not_settled(old, account):
    InvoiceMirror.objects.filter(pk=old[0]).update(status="open")
    assert asked(account)[1] == [old[0]]
    shop.look(account)
    assert InvoiceMirror.objects.get(pk=old[0]).status == "paid"


def test_an_event_about_an_old_payment_makes_it_be_read(published, old, account):
    payment = PaymentMirror.objects.get(invoice=old[0])
    assert published.call("POST", "/v1/refunds", {"charge": payment.stripe_charge_id}).status_code == 200
    shop.look(account)
    assert not RefundMirror.objects.exists()
    StripeEvent.objects.create(
        id="evt_1", type="refund.created", livemode=False, created=shop.now(), received_at=shop.now(), account=account,
        mentions=["re_1", payment.stripe_charge_id],
    )  # fmt: skip
    shop.look(account)
    assert RefundMirror.objects.get().stripe_payment_intent_id == payment.pk
    payment.refresh_from_db()
    assert payment.refunded_minor == payment.amount_minor == 800
    assert StripeEvent.objects.get().state == "handled"


def test_an_old_draft_that_was_deleted_is_marked(old, account):
    first = InvoiceMirror.objects.get(pk=old[0])
    first.pk, first.status = "in_ghost", "draft"
    first.save(force_insert=True)
    shop.look(account)
    assert InvoiceMirror.objects.get(pk="in_ghost").status == "deleted"
    assert asked(account)[1] == []


def test_a_customer_the_account_had_before_is_read_as_well(published, account):
    shop.buy(account)
    subscription = SubscriptionMirror.objects.get()
    with transaction.atomic():
        customers.remember(account, account.stripe_customer_id, livemode=False, now=shop.now())
    type(account).objects.update(stripe_customer_id=None)
    customers.ensure(account, stripe_gateway.patient(), key="second", now=shop.now())
    shop.look(account)
    subscription.refresh_from_db()
    assert subscription.gone_at is None
    assert account.stripe_customer_id != account.former_customers.get().pk


def test_a_former_customer_that_is_deleted_is_asked_about_once(published, account):
    shop.buy(account)
    published.call("DELETE", f"/v1/customers/{account.stripe_customer_id}")
    shop.look(account)
    before = account.stripe_customer_id
    shop.buy(account)
    former = account.former_customers.get()
    assert (former.pk, former.livemode, former.gone_at is not None) == (before, False, True)
    assert InvoiceMirror.objects.count() == 2
