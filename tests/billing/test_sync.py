"""Stripe's truth becomes ours, through the sandbox over HTTP."""

from dataclasses import replace
from datetime import timedelta

import pytest

from apps.billing import account_state, entitlements, fetching, leases, stripe_gateway, sync
from apps.billing.errors import PaymentsAway
from apps.billing.models import (
    BillingAccount,
    DisputeMirror,
    DriftItem,
    EntitlementSnapshot,
    InvoiceMirror,
    Price,
    RefundMirror,
    StripeOutbox,
    SubscriptionMirror,
    SubscriptionState,
)
from apps.billing.stripe_facts import Dispute
from tests.support import shop

pytestmark = pytest.mark.django_db


def rows():
    """Everything a sync may write, as it is now."""
    tables = (SubscriptionMirror, SubscriptionState, InvoiceMirror, Price, EntitlementSnapshot, StripeOutbox, DriftItem)
    return [list(table.objects.order_by("pk").values()) for table in tables]


def test_a_paid_month_of_premium_gives_premium(published, account):
    answer = shop.buy(account)
    assert answer.status_code == 303
    assert entitlements.plan_for(account, now=shop.now()).key == "premium"
    state = SubscriptionState.objects.get()
    assert (state.status, state.plan_id, state.interval) == ("active", "premium", "month")
    assert (state.mrr_micro, state.currency, state.cause) == (8_000_000, "usd", "checkout")
    assert account.currency == "usd"
    assert (account.sync_wanted_seq, account.sync_done_seq, account.sync_lease_until) == (1, 1, None)


def test_the_mirror_says_what_a_page_needs(published, account):
    shop.buy(account)
    paid = SubscriptionMirror.objects.get()
    assert (paid.status, paid.plan_id, paid.card_brand, paid.card_last4) == ("active", "premium", "visa", "4242")
    assert timedelta(days=27) < paid.current_period_end - paid.started_at < timedelta(days=32)
    invoice = InvoiceMirror.objects.get()
    assert (invoice.status, invoice.total_minor, invoice.amount_paid_minor) == ("paid", 800, 800)
    assert (invoice.period_start, invoice.period_end) == (paid.started_at, paid.current_period_end)
    state = account_state.state_for(account, now=shop.now())
    assert (state["plan"], state["source"], state["status"]) == (
        {"key": "premium", "name": "Premium"},
        "subscription",
        "active",
    )
    assert (state["renews_at"], state["ends_at"]) == (paid.current_period_end, None)
    assert state["card"] == {"brand": "visa", "last4": "4242", "exp_month": 12, "exp_year": 2034}


def test_a_year_in_euro_counts_a_twelfth_each_month(published, account):
    shop.buy(account, interval="year", currency="eur")
    state = SubscriptionState.objects.get()
    assert (state.mrr_micro, state.currency, state.interval) == (7_000_000, "eur", "year")


def test_looking_twice_writes_nothing(published, account):
    shop.buy(account)
    before = rows()
    shop.look(account)
    assert rows() == before


def test_a_declined_card_changes_nothing(published, account):
    answer = shop.buy(account, card=shop.DECLINED)
    assert answer.status_code == 402
    assert "Your card was declined" in answer.text
    assert entitlements.plan_for(account, now=shop.now()).key == "free"
    assert not SubscriptionMirror.objects.exists()
    assert not StripeOutbox.objects.exists()
    assert account.checkout_attempts.get().state == "open"


def test_a_plan_that_begins_is_announced_once(published, account):
    shop.buy(account)
    shop.look(account)
    letter = StripeOutbox.objects.get(payload__letter="plan_started")
    assert (letter.kind, letter.payload["plan"]) == ("mail", "Premium")


def test_a_canceled_plan_stays_until_the_period_ends(published, account):
    shop.buy(account)
    paid = SubscriptionMirror.objects.get()
    shop.change(published, paid.pk, cancel_at_period_end="true")
    shop.look(account)
    assert SubscriptionState.objects.count() == 1
    state = account_state.state_for(account, now=shop.now())
    assert (state["plan"]["key"], state["ends_at"], state["renews_at"]) == ("premium", paid.current_period_end, None)
    shop.pass_time(published, account, to=paid.current_period_end + timedelta(hours=2))
    shop.look(account, at=paid.current_period_end + timedelta(hours=2))
    ended = SubscriptionState.objects.latest("effective_at")
    assert (ended.status, ended.mrr_micro, ended.cause) == ("canceled", 0, "voluntary")
    assert ended.effective_at == paid.current_period_end
    assert entitlements.plan_for(account, now=paid.current_period_end + timedelta(hours=2)).key == "free"


def test_a_renewal_that_fails_keeps_the_plan_for_the_days_of_grace(published, account):
    shop.buy(account)
    paid = SubscriptionMirror.objects.get()
    shop.use_card(published, account, "pm_card_chargeCustomerFail")
    at = paid.current_period_end + timedelta(hours=2)
    shop.pass_time(published, account, to=at)
    shop.look(account, at=at)
    account.refresh_from_db()
    snapshot = EntitlementSnapshot.objects.latest("version")
    assert (snapshot.reason, snapshot.source) == ("past_due", "subscription")
    assert snapshot.valid_until == account.delinquent_since + timedelta(days=7)
    assert entitlements.plan_for(account, now=at).key == "premium"
    assert entitlements.plan_for(account, now=snapshot.valid_until).key == "free"
    assert SubscriptionState.objects.latest("effective_at").mrr_micro == 8_000_000
    letters = [row.payload["letter"] for row in StripeOutbox.objects.order_by("pk")]
    assert letters == ["plan_started", "receipt", "payment_failed"]


def test_paying_the_open_bill_brings_the_plan_back(published, account):
    shop.buy(account)
    at = SubscriptionMirror.objects.get().current_period_end + timedelta(hours=2)
    shop.use_card(published, account, "pm_card_chargeCustomerFail")
    shop.pass_time(published, account, to=at)
    shop.look(account, at=at)
    shop.use_card(published, account, "pm_card_visa")
    invoice = InvoiceMirror.objects.get(status="open")
    assert published.call("POST", f"/v1/invoices/{invoice.pk}/pay").status_code == 200
    shop.look(account, at=at)
    assert account.delinquent_since is None
    assert entitlements.plan_for(account, now=at + timedelta(days=9)).key == "premium"
    states = list(SubscriptionState.objects.order_by("pk").values_list("cause", "mrr_micro"))
    assert states == [("checkout", 8_000_000), ("payment_failed", 8_000_000), ("recovered", 8_000_000)]


def test_3d_secure_that_nobody_finishes_never_gives_access(published, account):
    shop.become_customer(account)
    shop.subscribe(published, account, "premium_month_usd", card="pm_card_authenticationRequired")
    shop.look(account)
    assert SubscriptionMirror.objects.get().status == "incomplete"
    assert entitlements.plan_for(account, now=shop.now()).key == "free"
    later = shop.now() + timedelta(hours=24)
    shop.pass_time(published, account, to=later)
    shop.look(account, at=later)
    assert SubscriptionMirror.objects.get().status == "incomplete_expired"
    assert {state.mrr_micro for state in SubscriptionState.objects.all()} == {0}
    assert not StripeOutbox.objects.exists()


def test_of_two_paid_plans_the_higher_counts_and_a_person_is_told(published, account):
    shop.buy(account)
    second = shop.subscribe(published, account, "premium_plus_month_usd", card="pm_card_visa")
    shop.look(account)
    assert entitlements.plan_for(account, now=shop.now()).key == "premium_plus"
    item = DriftItem.objects.get(fixed_at=None)
    assert (item.kind, item.severity, second in item.stripe) == ("multiple_live", "high", True)
    published.call("DELETE", f"/v1/subscriptions/{second}")
    shop.look(account)
    assert entitlements.plan_for(account, now=shop.now()).key == "premium"
    assert not DriftItem.objects.filter(fixed_at=None).exists()


def test_a_product_that_is_not_ours_is_mirrored_and_gives_nothing(published, account):
    shop.become_customer(account)
    product = {"currency": "usd", "unit_amount": "700", "recurring[interval]": "month", "product_data[name]": "Odd"}
    price = published.call("POST", "/v1/prices", product).json()
    shop.subscribe(published, account, price["id"], card="pm_card_visa")
    shop.look(account)
    paid = SubscriptionMirror.objects.get()
    assert (paid.status, paid.plan, paid.mrr_micro) == ("active", None, 0)
    assert entitlements.plan_for(account, now=shop.now()).key == "free"
    assert not DriftItem.objects.exists()


@pytest.mark.parametrize("plan", ["guest", "developer"])
def test_a_price_named_after_a_plan_that_nobody_is_on_gives_nothing(published, account, plan):
    shop.become_customer(account)
    fields = {
        "currency": "usd",
        "unit_amount": "1",
        "recurring[interval]": "month",
        "product_data[name]": "Odd",
        "lookup_key": f"{plan}_month_usd",
    }
    price = published.call("POST", "/v1/prices", fields).json()
    shop.subscribe(published, account, price["id"], card="pm_card_visa")
    shop.look(account)
    assert SubscriptionMirror.objects.get().plan is None
    assert entitlements.plan_for(account, now=shop.now()).key == "free"


def test_a_trial_gives_the_plan_once_and_no_revenue(published, account, settings, tmp_path):
    path = tmp_path / "trial.toml"
    path.write_text(
        settings.CATALOGUE_PATH.read_text().replace('name = "Premium"', 'name = "Premium"\ntrial_days = 14', 1)
    )
    settings.CATALOGUE_PATH = path
    shop.buy(account)
    state = account_state.state_for(account, now=shop.now())
    assert (state["plan"]["key"], state["source"], state["status"]) == ("premium", "trial", "trialing")
    assert SubscriptionState.objects.get().mrr_micro == 0
    assert account.trial_consumed_at is not None
    shop.end_subscriptions(published, account)
    shop.buy(account)
    assert account_state.state_for(account, now=shop.now())["source"] == "subscription"


def test_an_upgrade_is_one_movement(published, account):
    shop.buy(account)
    paid = SubscriptionMirror.objects.get()
    item = paid.items.get()
    price = Price.objects.get(lookup_key="premium_plus_month_usd")
    shop.change(published, paid.pk, **{"items[0][id]": item.pk, "items[0][price]": price.pk})
    shop.look(account)
    assert entitlements.plan_for(account, now=shop.now()).key == "premium_plus"
    causes = list(SubscriptionState.objects.order_by("observed_at").values_list("cause", "mrr_micro"))
    assert causes == [("checkout", 8_000_000), ("upgrade", 40_000_000)]


def test_a_refund_is_written_down_and_changes_no_access(published, account):
    shop.buy(account)
    charge = published.objects("charge")[0]
    assert published.call("POST", "/v1/refunds", {"charge": charge["id"], "amount": "300"}).status_code == 200
    shop.look(account)
    refund = RefundMirror.objects.get()
    assert (refund.amount_minor, refund.currency, refund.status) == (300, "usd", "succeeded")
    assert entitlements.plan_for(account, now=shop.now()).key == "premium"
    assert SubscriptionState.objects.count() == 1


def test_a_customer_deleted_at_stripe_has_the_default_plan(published, account):
    shop.buy(account)
    assert published.call("DELETE", f"/v1/customers/{account.stripe_customer_id}").status_code == 200
    shop.look(account)
    assert entitlements.plan_for(account, now=shop.now()).key == "free"
    assert account.customer_gone_at is not None
    assert SubscriptionMirror.objects.get().gone_at is not None
    assert SubscriptionState.objects.latest("observed_at").mrr_micro == 0
    first = account.stripe_customer_id
    shop.buy(account)
    assert account.stripe_customer_id != first
    assert entitlements.plan_for(account, now=shop.now()).key == "premium"


def test_a_price_nobody_knows_leaves_the_last_known_plan(published, account):
    shop.buy(account)
    paid = SubscriptionMirror.objects.get()
    foreign = published.call(
        "POST",
        "/v1/prices",
        {"currency": "usd", "unit_amount": "700", "recurring[interval]": "month", "product_data[name]": "Odd"},
    ).json()
    shop.change(published, paid.pk, **{"items[0][id]": paid.items.get().pk, "items[0][price]": foreign["id"]})
    shop.look(account)
    assert entitlements.plan_for(account, now=shop.now()).key == "premium"
    item = DriftItem.objects.get()
    assert (item.kind, item.ours, item.stripe, item.severity) == ("unknown_price", "premium", foreign["id"], "high")


def test_of_two_that_look_only_one_fetches(published, account):
    shop.buy(account)
    lease = leases.claim(account.pk, now=shop.now())
    assert sync.sync_customer(account.pk, clock=shop.now) is False
    assert leases.claim(account.pk, now=shop.now() + timedelta(seconds=30)) is None
    lease.give_back()
    assert sync.sync_customer(account.pk, clock=shop.now) is True


def test_a_lease_ends_by_itself_and_then_belongs_to_another(published, account):
    shop.buy(account)
    lost = leases.claim(account.pk, now=shop.now())
    taken = leases.claim(account.pk, now=shop.now() + timedelta(seconds=61))
    with pytest.raises(leases.LeaseLost):
        lost.renew(now=shop.now() + timedelta(seconds=62))
    lost.give_back()
    account.refresh_from_db()
    assert account.sync_lease_until == taken.until


def test_what_was_fetched_under_a_lost_lease_is_thrown_away(published, account):
    shop.buy(account)
    shop.change(published, SubscriptionMirror.objects.get().pk, cancel_at_period_end="true")
    moments = iter(range(0, 1000, 61))

    def racing_clock():
        at = shop.now() + timedelta(seconds=next(moments))
        BillingAccount.objects.filter(pk=account.pk).update(sync_lease_until=at + timedelta(hours=1))
        return at

    assert sync.sync_customer(account.pk, clock=racing_clock) is False
    assert SubscriptionMirror.objects.get().cancel_at_period_end is False


def test_stripe_being_away_leaves_everything_and_the_wish_to_look(published, account):
    shop.buy(account)
    before = rows()
    published.fault("http_500", count=10, match="/v1/customers")
    sync.want(account)
    assert sync.sync_customer(account.pk, clock=shop.now, budget_s=3) is False
    with pytest.raises(PaymentsAway):
        sync.sync_customer(account.pk, clock=shop.now)
    assert rows() == before
    assert leases.is_wanted(account.pk)
    account.refresh_from_db()
    assert account.sync_lease_until is None


def test_a_person_who_returns_while_a_job_looks_is_told_what_the_job_found(published, account):
    shop.buy(account)
    sync.want(account)
    lease = leases.claim(account.pk, now=shop.now())
    account.refresh_from_db()
    found = fetching.fetch(account, stripe_gateway.background(), lambda: None)
    looks = []

    def clock():
        looks.append(shop.now())
        if len(looks) == 2:
            sync.apply(lease, account.stripe_customer_id, found, now=looks[-1])
        return looks[-1]

    assert sync.sync_customer(account.pk, clock=clock, budget_s=3) is True
    assert entitlements.plan_for(account, now=shop.now()).key == "premium"


def test_a_person_does_not_wait_for_a_lease_that_is_kept(published, account):
    shop.buy(account)
    sync.want(account)
    leases.claim(account.pk, now=shop.now())
    assert sync.sync_customer(account.pk, clock=shop.now, budget_s=0.2) is False
    assert leases.is_wanted(account.pk)


def test_a_person_does_not_wait_longer_than_the_budget(published, account):
    shop.buy(account)
    published.fault("slow", count=1, match="/v1/customers", ms=400)
    sync.want(account)
    assert sync.sync_customer(account.pk, clock=shop.now, budget_s=0.2) is False
    assert leases.is_wanted(account.pk)


def test_an_account_that_never_bought_needs_no_network(account, settings):
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    sync.want(account)
    assert sync.sync_customer(account.pk, clock=shop.now) is True
    assert not leases.is_wanted(account.pk)
    assert not EntitlementSnapshot.objects.exists()


# --- what the sandbox cannot do yet: facts are handed in as if fetched ---
def disputed(account, status):
    """Apply what Stripe would say with a dispute in this state."""
    lease = leases.claim(account.pk, now=shop.now())
    gateway = stripe_gateway.patient()
    found = fetching.fetch(account, gateway, lambda: None)
    dispute = Dispute("dp_1", 800, "usd", status, shop.now())
    sync.apply(lease, account.stripe_customer_id, replace(found, disputes=(dispute,)), now=shop.now())
    account.refresh_from_db()


def test_a_dispute_holds_access_until_it_is_won(published, account):
    shop.buy(account)
    disputed(account, "needs_response")
    assert account.hold_reason == "dispute"
    assert entitlements.plan_for(account, now=shop.now()).key == "free"
    assert DisputeMirror.objects.get().amount_minor == 800
    disputed(account, "won")
    assert account.hold_reason == ""
    assert entitlements.plan_for(account, now=shop.now()).key == "premium"


def test_a_dispute_that_is_lost_ends_the_subscription(published, account):
    shop.buy(account)
    disputed(account, "lost")
    assert entitlements.plan_for(account, now=shop.now()).key == "free"
    wanted = StripeOutbox.objects.get(kind="cancel_subscription")
    assert wanted.payload == {"subscription": SubscriptionMirror.objects.get().pk}
