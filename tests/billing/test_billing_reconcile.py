"""The command that compares with Stripe, and its exit code."""

from contextlib import suppress
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from apps.billing.models import DriftItem, SubscriptionMirror
from apps.core import ids
from apps.usage.models import UsageReservation
from tests.support import shop

pytestmark = pytest.mark.django_db


def run(*words):
    said = shop.Quiet()
    call_command("billing_reconcile", *words, stdout=said)
    return said.getvalue()


def test_says_what_differs_in_a_table_and_fails_while_a_person_is_needed(published, account):
    shop.buy(account)
    one = ("--account", str(account.pk))
    assert run(*one) == "1 accounts, 0 differences.\n"
    SubscriptionMirror.objects.update(status="past_due")
    said = shop.Quiet()
    with pytest.raises(CommandError, match=r"1 differences need a person\."):
        call_command("billing_reconcile", *one, "--dry-run", stdout=said)
    head, row, _total = said.getvalue().splitlines()
    assert head.split() == ["account", "or", "customer", "kind", "severity", "about", "here", "at", "Stripe"]
    paid = SubscriptionMirror.objects.get()
    assert row.split() == [str(account.pk), "status", "high", paid.pk, "past_due", "active"]
    assert SubscriptionMirror.objects.get().status == "past_due"
    assert "1 accounts, 1 differences." in run(*one)
    assert SubscriptionMirror.objects.get().status == "active"


def test_what_is_set_aside_for_long_is_a_difference_too(published, account):
    late = shop.now() - timedelta(hours=1)
    UsageReservation.objects.create(account=account, run_id=ids.uuid7(), amount=1, created_at=late, expires_at=late)
    with pytest.raises(CommandError, match="need a person"):
        run("--all", "--dry-run")
    assert not DriftItem.objects.exists()
    with pytest.raises(CommandError, match="need a person"):
        run("--all")
    assert DriftItem.objects.get(kind="stuck_reservations").account == account
    UsageReservation.objects.update(state="expired")
    with suppress(CommandError):  # the local Stripe keeps customers of other tests, who belong to nobody here
        run("--all")
    assert DriftItem.objects.get(kind="stuck_reservations").fixed_at is not None


def test_stripe_being_away_is_said_in_one_sentence(account, settings):
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    with pytest.raises(CommandError, match="The payment service does not answer right now"):
        run("--all")
