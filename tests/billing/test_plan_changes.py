"""Changing a plan: what is shown is what is charged, to the cent, once, whatever happens in between."""

from datetime import timedelta

import pytest

from apps.billing import entitlements, plan_changes
from apps.billing.errors import AlreadyOnPlan, ChangeBlocked, NothingToChange, NotOnSale, PlanMoved
from apps.billing.models import InvoiceMirror, PlanChange, SubscriptionMirror
from apps.billing.quotes import Quote
from apps.core.errors import Missing
from tests import build, cast
from tests.support import shop

pytestmark = pytest.mark.django_db


def offer(account, plan="premium_plus", interval="month", *, at=None):
    return plan_changes.offer(account, plan, interval, now=at or shop.now())


def agree(account, change, *, at=None):
    agreed = plan_changes.agree(account, change.pk, clock=lambda: at or shop.now())
    shop.look(account)
    agreed.refresh_from_db()
    return agreed


def paid():
    return SubscriptionMirror.objects.get()


def quote_of(change):
    return Quote.from_json(change.quote)


def charges(sandbox, account):
    """What was taken from the card, newest first, in minor units."""
    return [
        charge["amount"]
        for charge in sandbox.objects("charge")
        if charge["customer"] == account.stripe_customer_id and charge["status"] == "succeeded"
    ]


# --- more, at once ---
def test_an_upgrade_charges_exactly_what_was_shown(published, account):
    shop.buy(account)
    change = offer(account)
    quote = quote_of(change)
    assert (change.kind, change.state, change.to_price.lookup_key) == ("now", "offered", "premium_plus_month_usd")
    assert [line.amount_minor < 0 for line in quote.lines] == [True, False]
    assert quote.due_minor == quote.total_minor == sum(line.amount_minor for line in quote.lines)
    assert (quote.renews_at, quote.renewal_minor) == (paid().current_period_end, 4000)
    assert charges(published, account) == [800]
    done = agree(account, change)
    assert done.state == "done"
    assert charges(published, account) == [quote.due_minor, 800]
    assert InvoiceMirror.objects.get(billing_reason="subscription_update").amount_paid_minor == quote.due_minor
    assert entitlements.plan_for(account, now=shop.now()).key == "premium_plus"


def test_in_the_middle_of_a_period_the_lines_are_half(published, account):
    shop.buy(account)
    item = paid().items.get()
    middle = item.period_start + (item.period_end - item.period_start) / 2
    shop.pass_time(published, account, to=middle)
    change = offer(account, at=middle)
    amounts = [line.amount_minor for line in quote_of(change).lines]
    assert amounts[0] in (-400, -401)
    assert amounts[1] in (2000, 1999)
    agree(account, change, at=middle)
    assert charges(published, account) == [sum(amounts), 800]


def test_from_a_month_to_a_year_a_new_period_begins_at_once(published, account):
    shop.buy(account)
    change = offer(account, "premium", "year")
    quote = quote_of(change)
    assert (change.kind, quote.renewal_minor) == ("now", 8400)
    assert quote.renews_at - shop.now() > timedelta(days=360)
    assert agree(account, change).state == "done"
    assert charges(published, account) == [quote.due_minor, 800]
    assert paid().items.get().price.lookup_key == "premium_year_usd"


def test_saying_yes_twice_charges_once(published, account):
    shop.buy(account)
    change = offer(account)
    first, second = agree(account, change), agree(account, change)
    assert (first.pk, first.state) == (second.pk, second.state) == (change.pk, "done")
    assert len(charges(published, account)) == 2


def test_another_offer_replaces_the_first(published, account):
    shop.buy(account)
    first = offer(account)
    second = offer(account, "premium", "year")
    assert agree(account, first).state == "lapsed"
    assert charges(published, account) == [800]
    assert PlanChange.objects.get(state="offered") == second


def test_an_offer_that_is_over_is_shown_anew_instead(published, account):
    shop.buy(account)
    change = offer(account)
    late = shop.now() + timedelta(minutes=11)
    fresh = plan_changes.agree(account, change.pk, clock=lambda: late)
    assert (fresh.state, fresh.pk == change.pk) == ("offered", False)
    assert fresh.prorated_at > change.prorated_at
    change.refresh_from_db()
    assert change.state == "lapsed"
    assert charges(published, account) == [800]


def test_another_amount_than_was_shown_is_shown_and_not_charged(published, account):
    shop.buy(account)
    change = offer(account)
    published.call("POST", f"/v1/customers/{account.stripe_customer_id}", {"balance": "-500"})
    fresh = plan_changes.agree(account, change.pk, clock=shop.now)
    assert (fresh.state, quote_of(fresh).due_minor) == ("offered", quote_of(change).due_minor - 500)
    assert charges(published, account) == [800]
    assert agree(account, fresh).state == "done"
    assert charges(published, account) == [quote_of(fresh).due_minor, 800]


def test_what_changed_at_stripe_meanwhile_is_not_changed_again(published, account):
    shop.buy(account)
    change = offer(account)
    shop.change(published, paid().pk, cancel_at_period_end="true")
    with pytest.raises(PlanMoved):
        plan_changes.agree(account, change.pk, clock=shop.now)
    account.refresh_from_db()
    assert account.sync_wanted_seq > account.sync_done_seq
    assert charges(published, account) == [800]


def test_a_declined_card_leaves_the_plan_and_says_what_must_be_paid(published, account):
    shop.buy(account)
    shop.use_card(published, account, "pm_card_chargeCustomerFail")
    change = agree(account, offer(account))
    assert (change.state, change.error) == ("unpaid", "generic_decline")
    assert InvoiceMirror.objects.get(pk=change.invoice_id).status == "open"
    assert entitlements.plan_for(account, now=shop.now()).key == "premium"
    assert paid().pending_price == change.to_price
    with pytest.raises(ChangeBlocked) as problem:
        offer(account, "premium", "year")
    assert problem.value.code == "unpaid_change"


def test_paying_the_open_invoice_brings_the_plan(published, account):
    shop.buy(account)
    shop.use_card(published, account, "pm_card_chargeCustomerFail")
    change = agree(account, offer(account))
    method = published.call(
        "POST", "/v1/payment_methods/pm_card_visa/attach", {"customer": account.stripe_customer_id}
    ).json()["id"]
    answer = published.call("POST", f"/v1/invoices/{change.invoice_id}/pay", {"payment_method": method})
    assert answer.status_code == 200, answer.text
    shop.look(account)
    change.refresh_from_db()
    assert change.state == "done"
    assert entitlements.plan_for(account, now=shop.now()).key == "premium_plus"


def test_an_upgrade_that_nobody_pays_is_dropped_after_a_day(published, account):
    shop.buy(account)
    shop.use_card(published, account, "pm_card_chargeCustomerFail")
    change = agree(account, offer(account))
    later = shop.now() + timedelta(days=1)
    shop.pass_time(published, account, to=later)
    shop.look(account, at=later)
    change.refresh_from_db()
    assert (change.state, paid().plan_id, paid().pending_price) == ("lapsed", "premium", None)


def test_a_card_that_asks_for_3d_secure_waits_for_the_person(published, account):
    shop.buy(account)
    shop.use_card(published, account, "pm_card_authenticationRequired")
    change = agree(account, offer(account))
    assert (change.state, change.error) == ("unpaid", "requires_action")
    assert charges(published, account) == [800]


# --- less, from the next period on ---
@pytest.mark.parametrize(
    ("has", "wants", "amount"),
    [
        (("premium_plus", "month"), ("premium", "month"), 800),
        (("premium", "year"), ("premium", "month"), 800),
        (("premium_plus", "year"), ("premium", "month"), 800),
    ],
)
def test_less_begins_with_the_next_period(published, account, has, wants, amount):
    shop.buy(account, has[0], interval=has[1])
    end = paid().current_period_end
    before = charges(published, account)
    change = offer(account, *wants)
    quote = quote_of(change)
    assert (change.kind, change.takes_effect_at) == ("later", end)
    assert (quote.due_minor, quote.renewal_minor, quote.renews_at) == (0, amount, end)
    assert agree(account, change).state == "done"
    assert (paid().plan_id, paid().planned_price, paid().planned_at) == (has[0], change.to_price, end)
    assert charges(published, account) == before
    shop.pass_time(published, account, to=end + timedelta(hours=2))
    shop.look(account, at=end + timedelta(hours=2))
    assert (paid().items.get().price, charges(published, account)) == (change.to_price, [amount, *before])
    assert entitlements.plan_for(account, now=end + timedelta(hours=2)).key == wants[0]


def test_a_planned_change_is_undone(published, account):
    shop.buy(account, "premium_plus")
    agree(account, offer(account, "premium"))
    undone = plan_changes.keep(account, clock=shop.now)
    shop.look(account)
    assert (undone.kind, undone.state) == ("keep", "done")
    assert (paid().has_schedule, paid().planned_price) == (False, None)
    end = paid().current_period_end + timedelta(hours=2)
    shop.pass_time(published, account, to=end)
    shop.look(account, at=end)
    assert (paid().plan_id, charges(published, account)[0]) == ("premium_plus", 4000)


def test_without_a_planned_change_there_is_nothing_to_undo(published, account):
    shop.buy(account)
    with pytest.raises(PlanMoved):
        plan_changes.keep(account, clock=shop.now)
    assert not PlanChange.objects.exists()


def test_another_smaller_plan_replaces_the_planned_one(published, account):
    shop.buy(account, "premium_plus", interval="year")
    agree(account, offer(account, "premium", "month"))
    change = agree(account, offer(account, "premium", "year"))
    assert change.state == "done"
    assert paid().planned_price.lookup_key == "premium_year_usd"


def test_after_a_planned_change_came_true_an_upgrade_needs_no_undoing(published, account):
    shop.buy(account, "premium_plus")
    agree(account, offer(account, "premium"))
    end = paid().current_period_end + timedelta(hours=2)
    shop.pass_time(published, account, to=end)
    shop.look(account, at=end)
    assert paid().plan_id == "premium"
    change = agree(account, offer(account, at=end), at=end)
    assert (change.state, paid().plan_id) == ("done", "premium_plus")


# --- refusals ---
def test_who_pays_nothing_has_nothing_to_change(published, account):
    with pytest.raises(NothingToChange):
        offer(account)


@pytest.mark.parametrize(("plan", "interval"), [("gold", "month"), ("free", "month"), ("premium", "week"), ("", "")])
def test_what_is_not_on_sale_is_refused(published, account, plan, interval):
    shop.buy(account)
    with pytest.raises(NotOnSale):
        offer(account, plan, interval)
    assert not PlanChange.objects.exists()


def test_the_plan_one_has_is_no_change(published, account):
    shop.buy(account)
    with pytest.raises(AlreadyOnPlan):
        offer(account, "premium", "month")
    assert not PlanChange.objects.exists()


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"cancel_at_period_end": True}, "ending"),
        ({"status": "past_due"}, "payment_due"),
        ({"status": "unpaid"}, "payment_due"),
        ({"status": "paused"}, "paused"),
        ({"is_collection_paused": True}, "paused"),
        ({"planned_at": build.NOW}, "planned"),
    ],
)
def test_something_else_comes_first(published, account, fields, reason):
    shop.buy(account)
    SubscriptionMirror.objects.update(**fields)
    with pytest.raises(ChangeBlocked) as problem:
        offer(account)
    assert problem.value.code == reason
    assert not PlanChange.objects.exists()


def test_under_a_dispute_nothing_changes(published, account):
    shop.buy(account)
    account.hold_reason = "dispute"
    with pytest.raises(ChangeBlocked) as problem:
        offer(account)
    assert problem.value.code == "held"


def test_mallory_agrees_to_nothing_of_anas(published, account):
    shop.buy(account)
    change = offer(account)
    stranger = entitlements.account_for(cast.mallory(), now=shop.now())
    with pytest.raises(Missing):
        plan_changes.agree(stranger, change.pk, clock=shop.now)
    assert charges(published, account) == [800]
