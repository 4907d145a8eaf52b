"""What we want of Stripe, and each mail, is a row that is done until it is done."""

from datetime import timedelta

import pytest
from django.core import mail
from django.db import transaction

from apps.billing import entitlements, outbox
from apps.billing.models import DriftItem, StripeOutbox, SubscriptionMirror
from tests.build import NOW
from tests.support import shop

pytestmark = pytest.mark.django_db
FACTS = {"letter": "plan_started", "plan": "Premium", "until": ""}


@pytest.fixture
def letters(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    mail.outbox = []
    return mail.outbox


def want_letter(account, key="mail:1", **facts):
    with transaction.atomic():
        return outbox.add(outbox.MAIL, key, {**FACTS, **facts}, account, now=NOW)


def send(at=NOW):
    return outbox.send_due(clock=lambda: at)


def test_a_day_in_a_letter_is_the_readers_own(account, letters):
    account.owner.time_zone = "Europe/Paris"
    account.owner.save(update_fields=["time_zone"])
    want_letter(account, letter="payment_failed", until="2026-03-09T23:30:00+00:00")
    assert send() == 1
    assert "10 March 2026" in letters[0].body
    assert "9 March 2026" not in letters[0].body


@pytest.mark.django_db(transaction=True)
def test_needs_the_transaction_of_an_act(account):
    with pytest.raises(RuntimeError, match="needs the transaction"):
        outbox.add(outbox.MAIL, "mail:1", FACTS, account, now=NOW)


def test_a_key_is_wanted_once(account, letters):
    assert want_letter(account) is True
    assert want_letter(account) is False
    assert StripeOutbox.objects.count() == 1
    assert (send(), send()) == (1, 0)
    assert len(letters) == 1


def test_a_letter_leaves_in_the_language_of_its_reader(account, letters):
    want_letter(account)
    send()
    letter = letters[0]
    assert (letter.to, letter.subject) == (["ana@example.org"], "Premium is on")
    assert "http://testserver/settings/plan/" in letter.body
    assert "Hello Ana," in letter.body


def test_the_letter_about_a_failed_payment_says_until_when(account, letters):
    want_letter(account, letter="payment_failed", until=(NOW + timedelta(days=7)).isoformat())
    send()
    assert letters[0].subject == "Your payment for Premium did not go through"
    assert "You keep Premium until 9 March 2026." in letters[0].body
    assert "/p/session/" not in letters[0].body


def test_a_mail_server_that_is_away_is_asked_again(account, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    want_letter(account)
    assert send() == 0
    row = StripeOutbox.objects.get()
    assert (row.state, row.attempts, row.next_at) == ("pending", 1, NOW + timedelta(seconds=30))
    assert row.error == "ConnectionRefusedError"
    assert send(NOW + timedelta(seconds=29)) == 0
    StripeOutbox.objects.update(attempts=outbox.MOST_ATTEMPTS - 1)
    send(NOW + timedelta(seconds=30))
    row.refresh_from_db()
    assert row.state == "dead"
    assert (DriftItem.objects.get().kind, DriftItem.objects.get().subject) == ("outbox_dead", str(row.pk))


def test_nobody_writes_to_who_left(account, letters):
    want_letter(account)
    type(account).objects.update(erased_at=NOW)
    send()
    assert letters == []


def cancel(subscription):
    with transaction.atomic():
        outbox.cancel_subscription(subscription, now=shop.now())


def test_a_cancellation_reaches_stripe_and_is_looked_at(published, account, letters):
    shop.buy(account)
    paid = SubscriptionMirror.objects.get()
    cancel(paid)
    cancel(paid)
    assert StripeOutbox.objects.filter(kind="cancel_subscription").count() == 1
    wanted = account.sync_wanted_seq
    outbox.send_due(clock=shop.now)
    account.refresh_from_db()
    assert account.sync_wanted_seq == wanted + 1
    shop.look(account)
    paid.refresh_from_db()
    assert paid.status == "canceled"
    assert paid.ended_at is not None
    assert entitlements.plan_for(account, now=shop.now()).key == "free"


def test_what_is_over_at_stripe_already_counts_as_done(published, account, letters):
    shop.buy(account)
    shop.end_subscriptions(published, account)
    cancel(SubscriptionMirror.objects.get())
    outbox.send_due(clock=shop.now)
    assert StripeOutbox.objects.get(kind="cancel_subscription").state == "done"


def test_stripe_being_away_is_waited_for(published, account, letters, settings):
    shop.buy(account)
    cancel(SubscriptionMirror.objects.get())
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    outbox.send_due(clock=shop.now)
    row = StripeOutbox.objects.get(kind="cancel_subscription")
    assert (row.state, row.attempts, row.error) == ("pending", 1, "PaymentsAway")
