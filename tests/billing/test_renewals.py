"""What comes next: the amount of the renewal, the card's end, and changes that are planned."""

from datetime import timedelta

import pytest

from apps.billing.models import SubscriptionMirror
from tests.support import shop

pytestmark = pytest.mark.django_db
PREVIEWS = "/v1/invoices/create_preview"


def paid():
    return SubscriptionMirror.objects.get()


def test_the_amount_of_the_next_renewal_is_kept(published, account):
    shop.buy(account)
    assert (paid().renewal_minor, paid().renewal_tax_minor) == (800, 0)
    assert len(paid().renewal_digest) == 64


def test_stripe_is_asked_again_only_when_something_changed(published, account):
    shop.buy(account)
    published.fault("http_500", count=1, match=PREVIEWS)
    shop.look(account)  # would be refused if it asked
    shop.change(published, paid().pk, cancel_at_period_end="true")
    shop.look(account)
    assert (paid().renewal_minor, paid().renewal_digest) == (None, "")


def test_another_price_is_another_amount(published, account):
    shop.buy(account)
    item = paid().items.get()
    price = next(
        one for one in published.objects("price") if one["lookup_key"] == "premium_plus_month_usd" and one["active"]
    )
    fields = {"items[0][id]": item.pk, "items[0][price]": price["id"], "proration_behavior": "none"}
    shop.change(published, paid().pk, **fields)
    shop.look(account)
    assert paid().renewal_minor == 4000


def test_credit_at_stripe_is_used_first(published, account):
    shop.buy(account, "premium_plus")
    item = paid().items.get()
    price = next(one for one in published.objects("price") if one["lookup_key"] == "premium_month_usd")
    fields = {"items[0][id]": item.pk, "items[0][price]": price["id"], "proration_behavior": "always_invoice"}
    shop.change(published, paid().pk, **fields)
    shop.look(account)
    assert paid().renewal_minor == 0


def test_what_has_ended_has_no_renewal(published, account):
    shop.buy(account)
    shop.end_subscriptions(published, account)
    assert (paid().status, paid().renewal_minor) == ("canceled", None)


def test_when_the_card_ends_is_known(published, account):
    shop.buy(account)
    assert (paid().card_exp_month, paid().card_exp_year) == (12, 2034)


def test_a_planned_change_says_what_and_from_when(published, account):
    shop.buy(account, "premium_plus")
    end = paid().current_period_end
    price = next(one for one in published.objects("price") if one["lookup_key"] == "premium_month_usd")
    schedule = published.call("POST", "/v1/subscription_schedules", {"from_subscription": paid().pk}).json()
    shop.look(account)
    assert (paid().stripe_schedule_id, paid().planned_price_id) == (schedule["id"], None)  # begun, and nothing planned
    now = schedule["phases"][0]
    fields = {
        "end_behavior": "release",
        "phases[0][items][0][price]": now["items"][0]["price"],
        "phases[0][start_date]": now["start_date"],
        "phases[0][end_date]": now["end_date"],
        "phases[1][items][0][price]": price["id"],
    }
    answer = published.call("POST", f"/v1/subscription_schedules/{schedule['id']}", fields)
    assert answer.status_code == 200, answer.text
    shop.look(account)
    assert (paid().planned_price_id, paid().planned_at, paid().has_schedule) == (price["id"], end, True)
    assert paid().renewal_minor == 800


def test_an_upgrade_that_waits_for_its_payment_says_until_when(published, account):
    shop.buy(account)
    shop.use_card(published, account, "pm_card_chargeCustomerFail")
    price = next(one for one in published.objects("price") if one["lookup_key"] == "premium_plus_month_usd")
    fields = {
        "items[0][id]": paid().items.get().pk,
        "items[0][price]": price["id"],
        "proration_behavior": "always_invoice",
        "payment_behavior": "pending_if_incomplete",
    }
    shop.change(published, paid().pk, **fields)
    shop.look(account)
    assert (paid().plan_id, paid().pending_price_id) == ("premium", price["id"])
    assert timedelta(hours=22) < paid().pending_until - shop.now() < timedelta(hours=24)
