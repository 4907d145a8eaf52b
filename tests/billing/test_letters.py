"""Which letter a change calls for, through the local Stripe: each once, and none about what is over."""

from datetime import timedelta

import pytest
from django.core import mail

from apps.billing import catching_up, checkout, entitlements, letters, outbox
from apps.billing.models import InvoiceMirror, RefundMirror, StripeOutbox, SubscriptionMirror
from tests.support import shop

pytestmark = pytest.mark.django_db
FAILING, ASKING = "pm_card_chargeCustomerFail", "pm_card_authenticationRequired"


@pytest.fixture
def sent(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    mail.outbox = []
    return mail.outbox


def wanted():
    return [row.payload["letter"] for row in StripeOutbox.objects.filter(kind="mail").order_by("pk")]


def send(at=None):
    return outbox.send_due(clock=lambda: at or shop.now())


def begin(account):
    """Somebody who pays, and has read the letters about it."""
    shop.buy(account)
    send()
    StripeOutbox.objects.all().delete()
    mail.outbox.clear()
    return SubscriptionMirror.objects.get(account=account)


def renew(sandbox, account, *, card, after=timedelta(hours=2)):
    """The next renewal, with this card; when it was."""
    at = SubscriptionMirror.objects.get(account=account).current_period_end + after
    shop.use_card(sandbox, account, card)
    shop.pass_time(sandbox, account, to=at)
    shop.look(account, at=at)
    return at


def test_a_plan_that_is_bought_brings_a_welcome_and_a_receipt_once(published, account, sent):
    shop.buy(account)
    shop.look(account)
    assert sorted(wanted()) == ["plan_started", "receipt"]
    assert (send(), send()) == (2, 0)
    invoice = InvoiceMirror.objects.get()
    receipt = next(letter for letter in sent if "receipt" in letter.subject)
    assert receipt.subject == "Your receipt for $8"
    assert f"Invoice: {invoice.number}" in receipt.body
    assert "Card: Visa •••• 4242" in receipt.body
    assert "For: Premium" in receipt.body


def test_an_account_whose_past_is_read_anew_is_not_told_its_past(published, account):
    shop.buy(account)
    StripeOutbox.objects.all().delete()
    later = shop.now() + letters.FRESH + timedelta(minutes=1)
    InvoiceMirror.objects.all().update(status="open")
    account.payments.all().delete()
    shop.look(account, at=later)
    assert InvoiceMirror.objects.get().status == "paid"
    assert wanted() == []


def test_a_renewal_that_fails_is_told_once_with_the_page_that_puts_it_right(published, account, sent):
    begin(account)
    at = renew(published, account, card=FAILING)
    shop.look(account, at=at)
    assert wanted() == ["payment_failed"]
    send(at)
    [letter] = sent
    assert letter.subject == "Your payment for Premium did not go through"
    assert "http://testserver/billing/pay/" in letter.body
    assert "/i/in_" not in letter.body
    shop.pass_time(published, account, to=at + timedelta(days=4))  # Stripe tries again meanwhile
    shop.look(account, at=at + timedelta(days=4))
    assert wanted() == ["payment_failed"]


def test_a_bill_that_was_paid_meanwhile_brings_no_letter_that_it_is_open(published, account, sent):
    begin(account)
    at = renew(published, account, card=FAILING)
    shop.use_card(published, account, "pm_card_visa")
    published.call("POST", f"/v1/invoices/{InvoiceMirror.objects.get(status='open').pk}/pay")
    shop.look(account, at=at)
    send(at)
    assert sorted(letter.subject for letter in sent) == ["Paid: Premium goes on", "Your receipt for $8"]


def test_f11_a_bank_that_asks_is_answered_on_the_page_that_the_letter_names(published, account, sent):
    begin(account)
    at = renew(published, account, card=ASKING)
    invoice = InvoiceMirror.objects.get(status="open")
    assert invoice.needs_action is True
    assert wanted() == ["action_required"]
    send(at)
    [letter] = sent
    assert letter.subject == "Please confirm your payment for Premium"
    assert f"{published.base}/i/{invoice.pk}" in letter.body
    assert "/i/in_" not in str(StripeOutbox.objects.get().payload)  # an address that lets anybody in is not kept


def test_f12_a_plan_that_nobody_paid_is_lost_once_and_comes_back_with_the_payment(published, account, sent):
    begin(account)
    at = renew(published, account, card=FAILING)
    account.refresh_from_db()
    over = account.delinquent_since + timedelta(days=7, minutes=1)
    catching_up.catch_up(clock=lambda: over)
    catching_up.catch_up(clock=lambda: over)
    shop.look(account, at=over)
    assert wanted().count("plan_lost") == 1
    lost = next(letter for letter in sent if letter.subject == "Premium has stopped")
    assert "Pay the open $8, and Premium is back at once." in lost.body
    assert "Everything you wrote is still there" in lost.body
    shop.use_card(published, account, "pm_card_visa")
    published.call("POST", f"/v1/invoices/{InvoiceMirror.objects.get(status='open').pk}/pay")
    shop.look(account, at=over)
    assert wanted().count("payment_recovered") == 1
    assert at < over


def test_a_plan_that_stripe_ends_for_want_of_money_is_not_told_twice(published, account, sent):
    begin(account)
    at = renew(published, account, card=FAILING)
    late = at + timedelta(days=20)
    account.refresh_from_db()
    catching_up.catch_up(clock=lambda: account.delinquent_since + timedelta(days=7, minutes=1))
    shop.pass_time(published, account, to=late)
    shop.look(account, at=late)
    assert SubscriptionMirror.objects.get().status == "canceled"
    assert (wanted().count("plan_lost"), wanted().count("plan_ended")) == (1, 0)


def test_who_cancels_and_comes_back_is_told_both(published, account, sent):
    paid = begin(account)
    shop.change(published, paid.pk, cancel_at_period_end="true")
    shop.look(account)
    assert wanted() == ["plan_ending"]
    send()
    assert sent[0].subject.startswith("Premium ends on ")
    shop.change(published, paid.pk, cancel_at_period_end="false")
    shop.look(account)
    assert wanted() == ["plan_ending", "plan_resumed"]
    send()
    assert sent[1].subject == "Premium goes on"


def test_who_changes_his_mind_at_once_reads_of_the_last_word_only(published, account, sent):
    paid = begin(account)
    shop.change(published, paid.pk, cancel_at_period_end="true")
    shop.look(account)
    shop.change(published, paid.pk, cancel_at_period_end="false")
    shop.look(account)
    send()
    assert [letter.subject for letter in sent] == ["Premium goes on"]


def test_a_plan_that_ends_as_asked_is_told_when_it_ends(published, account, sent):
    paid = begin(account)
    shop.change(published, paid.pk, cancel_at_period_end="true")
    shop.look(account)
    at = paid.current_period_end + timedelta(hours=2)
    shop.pass_time(published, account, to=at)
    shop.look(account, at=at)
    send(at)
    assert [letter.subject for letter in sent] == ["Premium has ended"]  # that it will end is no news any more
    assert wanted() == ["plan_ended"]


def test_a_larger_plan_is_told_with_its_price(published, account, sent):
    paid = begin(account)
    to = next(one["id"] for one in published.objects("price") if one["lookup_key"] == "premium_plus_month_usd")
    item = paid.items.get().pk
    shop.change(published, paid.pk, **{"items[0][id]": item, "items[0][price]": to})
    shop.look(account)
    assert wanted() == ["plan_changed"]
    send()
    assert sent[0].subject == "Your plan is now Premium+"
    assert "You changed from Premium to Premium+" in sent[0].body
    assert "Premium+ costs $40 a month." in sent[0].body


def test_money_that_goes_back_is_told_whoever_gave_it(published, account, sent):
    begin(account)
    payment = account.payments.get()
    answer = published.call("POST", "/v1/refunds", {"payment_intent": payment.pk, "amount": "300"})
    assert answer.status_code == 200
    account.refresh_from_db()
    type(account).objects.update(read_in_full_at=None)
    shop.look(account)
    shop.look(account)
    assert RefundMirror.objects.get().amount_minor == 300
    assert wanted() == ["refund_made"]
    send()
    assert sent[0].subject == "We gave back $3"
    assert InvoiceMirror.objects.get().number in sent[0].body


def test_who_leaves_is_told_of_money_and_of_nothing_else(published, account, sent):
    shop.buy(account)
    type(account.owner).objects.update(is_active=False)
    send()
    assert [letter.subject for letter in sent] == ["Your receipt for $8"]
    assert wanted() == ["receipt"]


def test_f12_who_was_canceled_for_it_can_take_the_plan_again(published, account, sent):
    begin(account)
    at = renew(published, account, card=FAILING)
    late = at + timedelta(days=20)
    shop.pass_time(published, account, to=late)
    shop.look(account, at=late)
    assert SubscriptionMirror.objects.get().status == "canceled"
    assert entitlements.plan_for(account, now=late).key == "free"
    shop.pay(checkout.open_checkout(account, "premium", "month", "usd", now=late))
    shop.look(account, at=late)
    assert entitlements.plan_for(account, now=late).key == "premium"
    assert account.invoices.filter(status="open").count() == 1  # the old bill is not what was paid
    assert account.delinquent_since is None


def test_a_trial_is_welcomed_with_its_end_and_brings_no_receipt_for_nothing(published, account, sent):
    shop.become_customer(account)
    card = published.call(
        "POST", "/v1/payment_methods/pm_card_visa/attach", {"customer": account.stripe_customer_id}
    ).json()
    price = next(one["id"] for one in published.objects("price") if one["lookup_key"] == "premium_month_usd")
    trial = {
        "customer": account.stripe_customer_id, "items[0][price]": price, "trial_period_days": "7",
        "default_payment_method": card["id"],
    }  # fmt: skip
    assert published.call("POST", "/v1/subscriptions", trial).status_code == 200
    shop.look(account)
    assert (InvoiceMirror.objects.get().status, InvoiceMirror.objects.get().total_minor) == ("paid", 0)
    assert wanted() == ["plan_started"]
    send()
    assert sent[0].subject == "Your trial of Premium has begun"
    assert "Then Premium costs $8 a month, unless you cancel before." in sent[0].body
