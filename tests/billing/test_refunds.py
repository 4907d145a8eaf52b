"""Money that staff give back: as much as is left, once, with a reason, and with a second person where it is much."""

from datetime import timedelta

import pytest
from django.test import Client

from apps.accounts.models import AuditEntry
from apps.billing import entitlements, money_back, outbox, refunds
from apps.billing.errors import NotRefundable
from apps.billing.models import (
    CreditNoteMirror,
    DriftItem,
    InvoiceMirror,
    RefundMirror,
    RefundRequest,
    StripeOutbox,
    SubscriptionMirror,
)
from apps.billing.refunds import Wish
from tests import build, cast
from tests.support import shop

pytestmark = pytest.mark.django_db
WISH = Wish(amount_minor=300, why="requested_by_customer", reason="an outage")


@pytest.fixture
def dana():
    return cast.dana()


@pytest.fixture
def invoice(published, account):
    """Eight dollars that Ana paid."""
    shop.buy(account)
    StripeOutbox.objects.all().delete()
    return InvoiceMirror.objects.get()


def send():
    return outbox.send_due(clock=shop.now)


def given(sandbox, account):
    """The refunds at Stripe of what Ana paid; the sandbox keeps those of earlier tests."""
    payment = account.payments.get().pk
    return [refund for refund in sandbox.objects("refund") if refund["payment_intent"] == payment]


def look_at_all(account):
    type(account).objects.update(read_in_full_at=None)
    shop.look(account)


def plan(account):
    return entitlements.plan_for(account, now=shop.now()).key


def test_a_part_goes_back_and_the_plan_stays(published, account, invoice, dana):
    asked = refunds.ask(invoice, WISH, by=dana, now=shop.now())
    assert (asked.state, refunds.left_minor(invoice)) == ("approved", 500)
    row = StripeOutbox.objects.get()
    assert (row.kind, row.key) == ("refund", f"refund:{asked.pk}")
    send()
    asked.refresh_from_db()
    [refund] = given(published, account)
    assert (refund["amount"], refund["reason"], refund["metadata"]) == (
        300, "requested_by_customer", {"refund_request": str(asked.pk)},
    )  # fmt: skip
    assert (asked.state, asked.stripe_refund_id) == ("done", refund["id"])
    assert refunds.left_minor(invoice) == 500  # before the mirror knows, and after
    look_at_all(account)
    assert (RefundMirror.objects.get().pk, refunds.left_minor(invoice)) == (refund["id"], 500)
    assert (SubscriptionMirror.objects.get().status, plan(account)) == ("active", "premium")
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.subject, entry.reason) == ("refund.ask", dana, account.owner, "an outage")
    assert entry.details["amount_minor"] == 300


def test_an_answer_that_got_lost_gives_nothing_back_twice(published, account, invoice, dana):
    asked = refunds.ask(invoice, WISH, by=dana, now=shop.now())
    send()
    RefundRequest.objects.update(state="approved", stripe_refund_id="")  # Stripe acted, and we did not hear it
    forgotten = {"request": str(asked.pk), "turn": "9"}  # so long ago that the key is another one
    StripeOutbox.objects.filter(kind="refund").update(state="pending", payload=forgotten)
    outbox.send_due(clock=lambda: shop.now() + timedelta(minutes=5))
    [refund] = given(published, account)
    asked.refresh_from_db()
    assert (asked.state, asked.stripe_refund_id) == ("done", refund["id"])


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"amount_minor": 801}, "amount"),
        ({"amount_minor": 0}, "amount"),
        ({"reason": "  "}, "reason"),
        ({"why": "because"}, "why"),
        ({"ending": "never"}, "why"),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_wanted(account, invoice, dana, fields, field):
    with pytest.raises(NotRefundable) as refusal:
        refunds.ask(invoice, Wish(**{**vars(WISH), **fields}), by=dana, now=shop.now())
    assert refusal.value.field == field
    assert not RefundRequest.objects.exists()
    assert not StripeOutbox.objects.exists()
    assert not AuditEntry.objects.exists()


def test_what_is_promised_or_given_in_the_dashboard_is_not_given_again(published, account, invoice, dana):
    payment = account.payments.get().pk
    assert published.call("POST", "/v1/refunds", {"payment_intent": payment, "amount": "200"}).status_code == 200
    look_at_all(account)
    assert refunds.left_minor(invoice) == 600
    refunds.ask(invoice, Wish(**{**vars(WISH), "amount_minor": 600}), by=dana, now=shop.now())
    with pytest.raises(NotRefundable, match="Nothing of this invoice is left"):
        refunds.ask(invoice, WISH, by=dana, now=shop.now())
    assert RefundRequest.objects.count() == 1


def test_a_refund_can_end_the_plan_at_once(published, account, invoice, dana):
    refunds.ask(invoice, Wish(800, "duplicate", "paid twice", "now"), by=dana, now=shop.now())
    assert sorted(StripeOutbox.objects.values_list("kind", flat=True)) == ["cancel_subscription", "refund"]
    send()
    look_at_all(account)
    assert (SubscriptionMirror.objects.get().status, plan(account)) == ("canceled", "free")
    assert RefundMirror.objects.get().amount_minor == 800


def test_or_with_the_period_that_is_paid(published, account, invoice, dana):
    refunds.ask(invoice, Wish(800, "requested_by_customer", "goodwill", "period_end"), by=dana, now=shop.now())
    send()
    look_at_all(account)
    paid = SubscriptionMirror.objects.get()
    assert (paid.status, paid.cancel_at_period_end, plan(account)) == ("active", True, "premium")


def test_a_credit_note_follows_the_refund_and_names_it(published, account, invoice, dana):
    refunds.ask(invoice, Wish(300, "requested_by_customer", "an outage", "keep", has_credit_note=True), by=dana,
                now=shop.now())  # fmt: skip
    send()
    send()
    look_at_all(account)
    note = CreditNoteMirror.objects.get()
    assert (note.amount_minor, note.stripe_invoice_id, note.status) == (300, invoice.pk, "issued")
    assert note.number.startswith(invoice.number)
    assert money_back.told(account) == {invoice.pk: ["$3 given back", f"Credit note {note.number}: $3"]}
    client = Client()
    client.force_login(account.owner)
    assert f"Credit note {note.number}: $3" in client.get("/settings/plan/").content.decode()
    client.force_login(cast.mallory())
    assert note.number not in client.get("/settings/plan/").content.decode()
    assert len(given(published, account)) == 1
    StripeOutbox.objects.filter(kind="credit_note").update(state="pending")
    send()
    assert len([note for note in published.objects("credit_note") if note["invoice"] == invoice.pk]) == 1


def test_much_money_needs_a_second_person(published, account, invoice, dana, settings):
    settings.REFUND_ALONE_MINOR = 299
    asked = refunds.ask(invoice, WISH, by=dana, now=shop.now())
    assert (asked.state, refunds.left_minor(invoice)) == ("waiting", 500)
    assert not StripeOutbox.objects.exists()
    with pytest.raises(NotRefundable, match="Somebody else"):
        refunds.approve(asked, by=dana, now=shop.now())
    assert not StripeOutbox.objects.exists()
    second = build.person(email="second@example.org", is_staff=True)
    refunds.approve(asked, by=second, now=shop.now())
    with pytest.raises(NotRefundable, match="before you"):
        refunds.reject(asked, reason="no", by=second, now=shop.now())
    assert (RefundRequest.objects.get().state, StripeOutbox.objects.get().kind) == ("approved", "refund")
    assert [entry.action for entry in AuditEntry.objects.order_by("pk")] == ["refund.ask", "refund.approve"]


def test_a_second_person_may_say_no_with_a_reason(account, invoice, dana, settings):
    settings.REFUND_ALONE_MINOR = 0
    asked = refunds.ask(invoice, WISH, by=dana, now=shop.now())
    second = build.person(email="second@example.org", is_staff=True)
    with pytest.raises(NotRefundable, match="say why"):
        refunds.reject(asked, reason="", by=second, now=shop.now())
    refunds.reject(asked, reason="not ours to pay", by=second, now=shop.now())
    assert (RefundRequest.objects.get().state, refunds.left_minor(invoice)) == ("rejected", 800)
    assert not StripeOutbox.objects.exists()
    assert AuditEntry.objects.latest("pk").reason == "not ours to pay"


def test_what_stripe_refuses_is_said_and_shown(published, account, invoice, dana):
    asked = refunds.ask(invoice, WISH, by=dana, now=shop.now())
    charge = published.objects("charge")[0]["id"]
    assert published.call("POST", "/v1/refunds", {"charge": charge}).status_code == 200  # somebody was faster
    send()
    asked.refresh_from_db()
    assert asked.state == "failed"
    assert "already been refunded" in asked.error
    assert DriftItem.objects.get(kind="outbox_dead").ours == "refund"
    assert len(given(published, account)) == 1


def test_a_fault_of_stripe_spends_the_key_and_the_next_try_has_another(published, account, invoice, dana):
    refunds.ask(invoice, WISH, by=dana, now=shop.now())
    published.fault("http_500", count=3, match="/v1/refunds")
    send()
    published.http.request("DELETE", "/_sandbox/api/faults", json={})
    assert RefundRequest.objects.get().state == "approved"
    outbox.send_due(clock=lambda: shop.now() + timedelta(minutes=5))
    assert RefundRequest.objects.get().state == "done"
    assert len(given(published, account)) == 1
