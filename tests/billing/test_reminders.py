"""Letters that time calls for: on their day, once, and not to those whom it does not concern."""

from datetime import timedelta

import pytest
from django.core import mail

from apps.billing import outbox, reminders
from apps.billing.models import InvoiceMirror, Plan, Price, StripeOutbox, SubscriptionItemMirror, SubscriptionMirror
from tests import build
from tests.build import NOW
from tests.support import shop

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def sent(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    mail.outbox = []
    return mail.outbox


def subscribed(account, *, ends, interval="month", amount_minor=800, **fields):
    """A subscription whose period ends then."""
    Plan.objects.get_or_create(key="premium", defaults={"name": "Premium", "rank": 10})
    row = build.stripe_subscription(account=account, at=NOW - 30 * DAY, interval=interval)
    price, _ = Price.objects.get_or_create(
        stripe_price_id=f"price_{interval}",
        defaults={
            "livemode": False, "plan_id": "premium", "currency": "usd", "unit_amount_minor": amount_minor,
            "interval": interval,
        },
    )  # fmt: skip
    SubscriptionItemMirror.objects.create(stripe_item_id=f"si_{row.pk}", subscription=row, price=price, quantity=1)
    SubscriptionMirror.objects.filter(pk=row.pk).update(current_period_end=ends, **fields)
    row.refresh_from_db()
    return row


def kinds():
    return [row.payload["letter"] for row in StripeOutbox.objects.order_by("pk")]


def send(at=NOW):
    return outbox.send_due(clock=lambda: at)


TRIAL = {"status": "trialing", "card_brand": "visa", "card_last4": "4242"}


def test_a_trial_is_told_of_three_days_before_its_end_and_once(account, sent):
    subscribed(account, ends=NOW + 5 * DAY, trial_end=NOW + 5 * DAY, **TRIAL)
    assert reminders.remind(now=NOW + DAY) == 0
    assert (reminders.remind(now=NOW + 2 * DAY), reminders.remind(now=NOW + 2 * DAY)) == (1, 0)
    send(NOW + 2 * DAY)
    assert sent[0].subject == "Your trial of Premium ends on 7 March 2026"
    assert "pay $8 a month, with the card Visa •••• 4242" in sent[0].body


@pytest.mark.parametrize("fields", [{"cancel_at_period_end": True}, {"status": "active"}, {"status": "canceled"}])
def test_a_trial_that_is_over_or_ends_anyway_is_not_told_of(account, fields):
    subscribed(account, ends=NOW + 2 * DAY, trial_end=NOW + 2 * DAY, **{**TRIAL, **fields})
    assert reminders.remind(now=NOW) == 0
    assert not StripeOutbox.objects.exists()


def test_a_trial_that_ended_before_the_letter_left_is_not_told_of(account, sent):
    row = subscribed(account, ends=NOW + 2 * DAY, trial_end=NOW + 2 * DAY, **TRIAL)
    reminders.remind(now=NOW)
    SubscriptionMirror.objects.filter(pk=row.pk).update(status="active")
    send()
    assert sent == []


def test_a_year_is_told_of_a_month_and_more_before_it_renews(account, sent):
    subscribed(account, ends=NOW + 36 * DAY, interval="year", amount_minor=8400, renewal_minor=7000)
    assert reminders.remind(now=NOW) == 0
    assert (reminders.remind(now=NOW + DAY), reminders.remind(now=NOW + 2 * DAY)) == (1, 0)
    send(NOW + DAY)
    assert sent[0].subject == "Premium renews on 7 April 2026"
    assert "it renews for another year for $70." in sent[0].body  # what Stripe says it will charge


def test_a_month_and_a_year_that_ends_are_not_told_of(account):
    subscribed(account, ends=NOW + 34 * DAY)
    subscribed(account, ends=NOW + 34 * DAY, interval="year", cancel_at_period_end=True)
    assert reminders.remind(now=NOW) == 0


@pytest.mark.parametrize(("month", "is_told"), [(2, True), (3, False), (4, False)])
def test_a_card_that_ends_before_it_is_needed_is_told_of(account, month, is_told):
    card = {"card_brand": "visa", "card_last4": "4242", "card_exp_year": 2026, "card_exp_month": month}
    subscribed(account, ends=NOW + 20 * DAY, **card)
    assert reminders.remind(now=NOW) == int(is_told)
    assert kinds() == ["card_expiring"] * int(is_told)


def test_a_card_that_was_replaced_meanwhile_is_not_told_of(account, sent):
    card = {"card_brand": "visa", "card_last4": "4242", "card_exp_year": 2026, "card_exp_month": 2}
    row = subscribed(account, ends=NOW + 20 * DAY, **card)
    reminders.remind(now=NOW)
    SubscriptionMirror.objects.filter(pk=row.pk).update(card_last4="4444", card_exp_year=2030)
    send()
    assert sent == []


def test_two_days_before_grace_ends_the_open_bill_is_told_again(published, account, sent):
    shop.buy(account)
    at = SubscriptionMirror.objects.get().current_period_end + timedelta(hours=2)
    shop.use_card(published, account, "pm_card_chargeCustomerFail")
    shop.pass_time(published, account, to=at)
    shop.look(account, at=at)
    ends = account.delinquent_since + 7 * DAY
    assert reminders.remind(now=ends - 2 * DAY - timedelta(minutes=1)) == 0
    assert reminders.remind(now=ends - 2 * DAY) == 1
    assert reminders.remind(now=ends - DAY) == 0
    send(ends - 2 * DAY)
    letter = next(one for one in sent if one.subject.startswith("You keep Premium until"))
    assert "The payment of $8 for Premium is still open." in letter.body
    assert "http://testserver/billing/pay/" in letter.body


def test_grace_that_was_ended_by_a_payment_is_not_told_of(published, account, sent):
    shop.buy(account)
    at = SubscriptionMirror.objects.get().current_period_end + timedelta(hours=2)
    shop.use_card(published, account, "pm_card_chargeCustomerFail")
    shop.pass_time(published, account, to=at)
    shop.look(account, at=at)
    ends = account.delinquent_since + 7 * DAY
    reminders.remind(now=ends - DAY)
    InvoiceMirror.objects.filter(status="open").update(status="paid")
    send(ends - DAY)
    assert not [one for one in sent if one.subject.startswith("You keep Premium until")]
