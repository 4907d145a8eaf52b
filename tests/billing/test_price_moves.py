"""A new price, and those who pay the old one: kept there, or moved at their next renewal. Through the local Stripe."""

from datetime import timedelta

import pytest

from apps.billing import catching_up, outbox, stripe_facts
from apps.billing.models import (
    DriftItem,
    InvoiceMirror,
    Price,
    StripeOutbox,
    SubscriptionItemMirror,
    SubscriptionMirror,
    SubscriptionState,
)
from tests import build, cast
from tests.billing.test_publication import run, with_catalogue
from tests.support import shop

pytestmark = pytest.mark.django_db
NOTHING = ["Nothing to do: all is as the catalogue says."]
NEW_AMOUNT = ("usd = 800", "usd = 900")
MOVE = ('existing_prices = "keep"', 'existing_prices = "move"')
MOVED = "Stripe: premium: 1 subscription moves from 800 to 900 usd a month at its next renewal"


@pytest.fixture
def published(sandbox, db):
    """Of its own: prices change here."""
    run("apply")
    return sandbox


def renew(sandbox, account):
    """Let the next period begin; give what its invoice charged."""
    at = SubscriptionMirror.objects.get(account=account).current_period_end + timedelta(hours=2)
    shop.pass_time(sandbox, account, to=at)
    shop.look(account, at=at)
    invoice = InvoiceMirror.objects.filter(account=account).latest("created")
    assert (invoice.billing_reason, invoice.status) == ("subscription_cycle", "paid")
    return invoice.amount_paid_minor


def send():
    return outbox.send_due(clock=shop.now)


def pays(account):
    return SubscriptionItemMirror.objects.get(subscription__account=account).price.unit_amount_minor


def test_kept_subscribers_are_counted_and_pay_what_they_paid(published, account, settings, tmp_path):
    shop.buy(account)
    with_catalogue(settings, tmp_path, NEW_AMOUNT)
    said = run("apply")
    assert "Stripe: archive price premium_month_usd: 800 usd; 1 subscription stays on it" in said
    assert not [line for line in said if "renewal" in line]
    assert run("diff") == NOTHING
    assert not StripeOutbox.objects.filter(kind="move_price").exists()
    assert renew(published, account) == 800


def test_moved_subscribers_pay_the_new_price_from_the_next_renewal_on(published, account, settings, tmp_path):
    shop.buy(account)
    with_catalogue(settings, tmp_path, NEW_AMOUNT, MOVE)
    said = run("diff")
    assert MOVED in said
    assert "Stripe: archive price premium_month_usd: 800 usd" in said
    assert not StripeOutbox.objects.filter(kind="move_price").exists()
    run("apply")
    assert run("diff") == run("apply") == NOTHING
    new = Price.objects.get(lookup_key="premium_month_usd", is_active=True)
    row = StripeOutbox.objects.get(kind="move_price")
    assert (row.key, row.state) == (f"move:{SubscriptionMirror.objects.get().pk}:{new.pk}", "pending")
    send()
    shop.look(account)
    assert pays(account) == 900
    assert list(InvoiceMirror.objects.values_list("amount_paid_minor", flat=True)) == [800]  # nothing now
    states = list(SubscriptionState.objects.order_by("pk").values_list("cause", "mrr_micro"))
    assert states == [("checkout", 8_000_000), ("price_migration", 9_000_000)]
    assert run("diff") == NOTHING
    assert renew(published, account) == 900


def test_those_who_were_kept_can_be_moved_later(published, account, settings, tmp_path):
    shop.buy(account)
    with_catalogue(settings, tmp_path, NEW_AMOUNT)
    run("apply")
    with_catalogue(settings, tmp_path, MOVE, name="later.toml")
    assert run("diff")[0] == MOVED
    run("apply")
    send()
    shop.look(account)
    assert pays(account) == 900
    assert run("apply") == NOTHING


@pytest.mark.parametrize(
    "fields",
    [
        {"cancel_at_period_end": True},
        {"cancel_at": build.NOW},
        {"has_pending_update": True},
        {"has_schedule": True},
        {"status": "canceled"},
    ],
)
def test_who_leaves_or_changes_anyway_is_not_moved(published, account, settings, tmp_path, fields):
    shop.buy(account)
    SubscriptionMirror.objects.update(**fields)
    with_catalogue(settings, tmp_path, NEW_AMOUNT, MOVE)
    assert not [line for line in run("apply") if "renewal" in line]
    assert not StripeOutbox.objects.filter(kind="move_price").exists()
    assert pays(account) == 800


def test_what_happened_at_stripe_meanwhile_withdraws_the_move(published, account, settings, tmp_path):
    shop.buy(account)
    paid = SubscriptionMirror.objects.get()
    shop.change(published, paid.pk, cancel_at_period_end="true")  # and we have not heard of it
    with_catalogue(settings, tmp_path, NEW_AMOUNT, MOVE)
    run("apply")
    account.refresh_from_db()
    wanted = account.sync_wanted_seq
    assert send() == 2  # receipt and plan; no letter about a price that does not come
    assert not StripeOutbox.objects.filter(kind="move_price").exists()
    assert not DriftItem.objects.filter(kind="outbox_dead").exists()
    account.refresh_from_db()
    assert account.sync_wanted_seq == wanted + 1
    shop.look(account)
    assert (pays(account), run("diff")) == (800, NOTHING)
    shop.change(published, paid.pk, cancel_at_period_end="false")
    shop.look(account)
    assert run("diff")[0] == MOVED


@pytest.mark.parametrize(
    ("field", "value", "is_steady"),
    [
        ("id", "sub_1", True),
        ("schedule", "sub_sched_1", False),
        ("pending_update", {"expires_at": 1}, False),
        ("cancel_at_period_end", True, False),
        ("cancel_at", 1_772_441_000, False),
        ("ended_at", 1_772_441_000, False),
    ],
)
def test_a_subscription_is_steady_while_nothing_is_planned(published, account, field, value, is_steady):
    shop.buy(account)
    raw = published.objects("subscription")[0]
    assert stripe_facts.read_subscription({**raw, field: value}).is_steady is is_steady


def test_a_crash_in_the_middle_goes_on(published, account, settings, tmp_path):
    ben = build.account(owner=cast.ben())
    for one in (account, ben):
        shop.buy(one)
    with_catalogue(settings, tmp_path, NEW_AMOUNT, MOVE)
    assert "Stripe: premium: 2 subscriptions move from 800 to 900 usd a month at their next renewal" in run("apply")
    published.fault("http_500", match="/v1/subscriptions/", count=50)
    send()
    assert set(StripeOutbox.objects.filter(kind="move_price").values_list("state", "attempts")) == {("pending", 1)}
    published.http.request("DELETE", "/_sandbox/api/faults", json={})
    assert run("apply") == NOTHING
    catching_up.catch_up(clock=lambda: shop.now() + timedelta(minutes=2))
    for one in (account, ben):
        shop.look(one)
    assert (pays(account), pays(ben)) == (900, 900)
    assert StripeOutbox.objects.filter(kind="move_price", state="done").count() == 2


def test_other_intervals_currencies_and_plans_are_left_alone(published, account, settings, tmp_path):
    ben = build.account(owner=cast.ben())
    shop.buy(account, interval="year")
    shop.buy(ben, currency="eur")
    with_catalogue(settings, tmp_path, NEW_AMOUNT, MOVE)
    assert not [line for line in run("apply") if "renewal" in line]
    send()
    assert (pays(account), pays(ben)) == (8400, 800)
