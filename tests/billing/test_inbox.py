"""Events from Stripe are hints: verified, stored once, and turned into the wish to look."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta

import pytest
from django.db import connection

from apps.billing import gauges, inbox
from apps.billing.errors import ForgedEvent
from apps.billing.models import (
    BillingAccount,
    FormerCustomer,
    InvoiceMirror,
    PaymentMirror,
    StripeEvent,
    SubscriptionMirror,
)
from tests import build, cast
from tests.build import NOW
from tests.support.webhooks import body, sign

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer(account):
    BillingAccount.objects.update(stripe_customer_id="cus_1")
    return account


def wanted():
    return list(BillingAccount.objects.values_list("sync_wanted_seq", flat=True))


def test_keeps_the_event_and_wants_a_look(customer):
    raw = body()
    inbox.store(raw, sign(raw), now=NOW)
    event = StripeEvent.objects.get()
    assert (event.pk, event.type, event.object_id) == ("evt_1", "customer.subscription.updated", "sub_1")
    assert (event.customer, event.received_at, event.state) == ("cus_1", NOW, "stored")
    assert event.payload == json.loads(raw)
    assert wanted() == [1]


def test_addresses_that_let_anybody_in_are_not_kept(customer):
    paid = {"id": "in_1", "object": "invoice", "customer": "cus_1", "hosted_invoice_url": "https://let.me/in"}
    lines = {"data": [{"id": "il_1", "url": "https://let.me/in"}]}
    raw = body(kind="invoice.paid", data={"object": {**paid, "lines": lines}})
    inbox.store(raw, sign(raw), now=NOW)
    assert "let.me" not in str(StripeEvent.objects.get().payload)
    assert StripeEvent.objects.get().payload["data"]["object"]["lines"]["data"][0]["id"] == "il_1"


def test_the_same_event_again_changes_nothing(customer):
    raw = body()
    inbox.store(raw, sign(raw), now=NOW)
    inbox.store(raw, sign(raw), now=NOW + timedelta(seconds=200))
    assert StripeEvent.objects.get().received_at == NOW
    assert wanted() == [1]


FORGERIES = {
    "another secret": lambda raw: (raw, sign(raw, secret="whsec_other")),
    "changed body": lambda raw: (raw + b" ", sign(raw)),
    "no signature": lambda raw: (raw, ""),
    "no time": lambda raw: (raw, sign(raw).partition(",")[2]),
    "no v1": lambda raw: (raw, sign(raw).partition(",")[0]),
    "a time that is no number": lambda raw: (raw, "t=soon,v1=00"),
    "a huge time": lambda raw: (raw, f"t={'9' * 400},v1=00"),
    "letters that are not ascii": lambda raw: (raw, "t=1772442000,v1=é"),
    "too old": lambda raw: (raw, sign(raw, at=NOW - timedelta(seconds=301))),
    "from the future": lambda raw: (raw, sign(raw, at=NOW + timedelta(seconds=301))),
    "not utf-8": lambda raw: (b"\xff\xfe", sign(b"\xff\xfe")),
    "not json": lambda raw: (b"{", sign(b"{")),
    "no object": lambda raw: (b"[1]", sign(b"[1]")),
    "no event": lambda raw: (b'{"object": "charge"}', sign(b'{"object": "charge"}')),
    "an event without data": lambda raw: (b'{"object": "event", "id": "x"}', sign(b'{"object": "event", "id": "x"}')),
    "too large": lambda raw: (b" " * (inbox.LARGEST_BYTES + 1), sign(b" " * (inbox.LARGEST_BYTES + 1))),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_refuses_what_is_not_stripes(customer, forgery):
    raw, signature = FORGERIES[forgery](body())
    with pytest.raises(ForgedEvent):
        inbox.store(raw, signature, now=NOW)
    assert not StripeEvent.objects.exists()
    assert wanted() == [0]


@pytest.mark.parametrize("skew_s", [-300, -1, 1, 300])
def test_a_clock_may_be_five_minutes_off(customer, skew_s):
    raw = body()
    inbox.store(raw, sign(raw, at=NOW + timedelta(seconds=skew_s)), now=NOW)
    assert wanted() == [1]


def test_the_largest_event_is_taken(customer):
    raw = body()
    raw += b" " * (inbox.LARGEST_BYTES - len(raw))
    inbox.store(raw, sign(raw), now=NOW)
    assert wanted() == [1]


def test_both_secrets_count_while_one_replaces_the_other(customer, settings):
    settings.STRIPE_WEBHOOK_SECRETS = ["whsec_new", "whsec_old"]
    for number, secret in enumerate(settings.STRIPE_WEBHOOK_SECRETS):
        raw = body(key=f"evt_{number}")
        inbox.store(raw, sign(raw, secret=secret), now=NOW)
    assert wanted() == [2]


def test_without_secrets_nothing_is_taken(customer, settings):
    settings.STRIPE_WEBHOOK_SECRETS = []
    raw = body()
    with pytest.raises(ForgedEvent):
        inbox.store(raw, sign(raw), now=NOW)


def test_an_event_of_real_money_is_not_for_us(customer):
    raw = body(livemode=True)
    inbox.store(raw, sign(raw), now=NOW)
    assert not StripeEvent.objects.exists()
    assert wanted() == [0]


def test_a_type_nobody_knows_is_kept_all_the_same(customer):
    raw = body(kind="moon.landed", data={"object": {"id": "moon_1", "object": "moon"}})
    inbox.store(raw, sign(raw), now=NOW)
    assert StripeEvent.objects.get().state == "ignored"
    assert wanted() == [0]


def test_another_version_is_accepted(customer):
    raw = body(api_version="2020-01-01")
    inbox.store(raw, sign(raw), now=NOW)
    assert wanted() == [1]


def test_an_event_about_the_customer_itself(customer):
    raw = body(kind="customer.deleted", data={"object": {"id": "cus_1", "object": "customer"}})
    inbox.store(raw, sign(raw), now=NOW)
    assert wanted() == [1]


def test_a_thin_event_is_known_by_its_snapshot(customer):
    SubscriptionMirror.objects.create(
        stripe_subscription_id="sub_1", account=customer, status="active", currency="usd", started_at=NOW, synced_at=NOW
    )
    thin = {
        "id": "evt_thin",
        "object": "v2.core.event",
        "type": "v1.customer.subscription.updated",
        "created": "2026-03-02T09:00:00.000Z",
        "livemode": False,
        "snapshot_event": "evt_1",
        "related_object": {"id": "sub_1", "type": "subscription", "url": "/v1/subscriptions/sub_1"},
    }
    for raw in (json.dumps(thin).encode(), body()):
        inbox.store(raw, sign(raw), now=NOW)
    event = StripeEvent.objects.get()
    assert (event.pk, event.type, event.customer) == ("evt_1", "customer.subscription.updated", "cus_1")
    assert wanted() == [1]


def test_an_event_that_came_before_its_account_waits_for_it(account):
    raw = body()
    inbox.store(raw, sign(raw), now=NOW)
    assert StripeEvent.objects.get().state == "stored"
    assert inbox.match_waiting(now=NOW) == 0
    BillingAccount.objects.update(stripe_customer_id="cus_1")
    assert inbox.match_waiting(now=NOW) == 1
    assert wanted() == [1]


def test_an_event_that_is_nobodys_waits_a_day(account):
    raw = body()
    inbox.store(raw, sign(raw), now=NOW)
    inbox.match_waiting(now=NOW + timedelta(hours=25))
    assert StripeEvent.objects.get().state == "ignored"


@pytest.mark.django_db(transaction=True)
def test_two_deliveries_at_the_same_moment_are_one():
    account = build.account(owner=cast.ana(), stripe_customer_id="cus_1")
    raw, gate = body(), threading.Barrier(4)

    def deliver(_number):
        try:
            gate.wait()
            inbox.store(raw, sign(raw), now=NOW)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(deliver, range(4)))
    account.refresh_from_db()
    assert StripeEvent.objects.count() == 1
    assert account.sync_wanted_seq == 1


# --- whose event it is ---
@pytest.fixture
def paid(customer):
    """A payment of an invoice, as a sync mirrors it."""
    invoice = InvoiceMirror.objects.create(
        stripe_invoice_id="in_1", account=customer, status="paid", currency="usd", total_minor=800,
        amount_due_minor=800, amount_paid_minor=800, created=NOW, synced_at=NOW,
    )  # fmt: skip
    return PaymentMirror.objects.create(
        stripe_payment_intent_id="pi_1", account=customer, invoice=invoice, stripe_charge_id="ch_1",
        status="succeeded", amount_minor=800, currency="usd", created=NOW, synced_at=NOW,
    )  # fmt: skip


NAMELESS = {
    "charge.refunded": {"id": "ch_1", "object": "charge", "customer": None, "payment_intent": "pi_1"},
    "refund.created": {"id": "re_1", "object": "refund", "charge": "ch_1", "payment_intent": "pi_1"},
    "charge.dispute.created": {"id": "du_1", "object": "dispute", "charge": "ch_1"},
    "invoice_payment.paid": {"id": "inpay_1", "object": "invoice_payment", "invoice": "in_1"},
    "credit_note.created": {"id": "cn_1", "object": "credit_note", "invoice": "in_1"},
}


@pytest.mark.parametrize("kind", NAMELESS)
def test_an_event_that_names_no_customer_is_found_by_what_it_mentions(paid, kind):
    raw = body(kind=kind, data={"object": NAMELESS[kind]})
    inbox.store(raw, sign(raw), now=NOW)
    event = StripeEvent.objects.get()
    assert (event.account, event.customer, event.state) == (paid.account, "cus_1", "stored")
    assert wanted() == [1]


def test_a_refund_that_is_told_before_its_payment_is_known_waits_for_it(customer, request):
    raw = body(kind="refund.created", data={"object": NAMELESS["refund.created"]})
    inbox.store(raw, sign(raw), now=NOW)
    assert (inbox.match_waiting(now=NOW), wanted()) == (0, [0])
    request.getfixturevalue("paid")
    assert (inbox.match_waiting(now=NOW), wanted()) == (1, [1])
    assert inbox.match_waiting(now=NOW) == 0


def test_a_card_that_was_taken_off_is_known_by_whose_it_was(customer):
    method = {"id": "pm_1", "object": "payment_method", "customer": None}
    data = {"object": method, "previous_attributes": {"customer": "cus_1"}}
    raw = body(kind="payment_method.detached", data=data)
    inbox.store(raw, sign(raw), now=NOW)
    assert wanted() == [1]


def test_an_invoice_to_come_has_no_id_and_is_known_by_its_customer(customer):
    raw = body(kind="invoice.upcoming", data={"object": {"object": "invoice", "customer": "cus_1"}})
    inbox.store(raw, sign(raw), now=NOW)
    assert (StripeEvent.objects.get().object_id, wanted()) == ("", [1])


def test_late_events_of_a_former_customer_are_still_the_accounts(customer):
    FormerCustomer.objects.create(pk="cus_old", account=customer, livemode=False, replaced_at=NOW)
    raw = body(customer="cus_old")
    inbox.store(raw, sign(raw), now=NOW)
    assert StripeEvent.objects.get().account == customer
    assert wanted() == [1]


# --- what operations see ---
def test_what_came_is_counted_and_a_secret_only_by_its_digest(customer, settings):
    settings.STRIPE_WEBHOOK_SECRETS = ["whsec_new", "whsec_old"]
    old = gauges.secrets.labels(gauges.fingerprint("whsec_old"))._value
    outcomes = {name: gauges.deliveries.labels(name)._value for name in ("new", "repeated", "refused")}
    before = {name: value.get() for name, value in outcomes.items()}, old.get()
    raw = body()
    for secret in ("whsec_old", "whsec_old", "whsec_wrong"):
        with suppress(ForgedEvent):
            inbox.store(raw, sign(raw, secret=secret), now=NOW)
    assert {name: value.get() - before[0][name] for name, value in outcomes.items()} == dict.fromkeys(outcomes, 1)
    assert old.get() - before[1] == 2
    assert "whsec" not in gauges.fingerprint("whsec_old")


def test_the_wrong_mode_and_another_version_are_counted(customer):
    counters = gauges.wrong_mode._value, gauges.other_version._value
    before = [counter.get() for counter in counters]
    for fields in ({"livemode": True}, {"api_version": "2020-01-01"}):
        raw = body(**fields)
        inbox.store(raw, sign(raw), now=NOW)
    assert [counter.get() for counter in counters] == [value + 1 for value in before]
    assert StripeEvent.objects.count() == 1


def test_what_waits_is_measured(customer):
    raw = body()
    inbox.store(raw, sign(raw), now=NOW)
    gauges.measure(now=NOW + timedelta(minutes=3))
    values = gauges.waiting_events, gauges.oldest_event, gauges.wanted
    assert [value._value.get() for value in values] == [1, 180, 1]
