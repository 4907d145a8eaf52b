"""F15, F16, F30: what somebody does at Stripe without asking us."""

from apps.billing.models import DriftItem, Price, StripeOutbox, SubscriptionMirror, SubscriptionState
from tests.support import shop
from tests.support.storm import plan_of


def foreign_price(storm, **fields):
    """A Price that is not in our catalogue."""
    fields = {"currency": "usd", "unit_amount": "700", "recurring[interval]": "month", **fields}
    return storm.stripe.call("POST", "/v1/prices", {"product_data[name]": "Odd", **fields}).json()["id"]


def test_f15_a_customer_who_is_deleted_has_the_default_plan_and_buys_again_as_another(storm):
    account = storm.bought("ana@example.org")
    first = account.stripe_customer_id
    assert storm.stripe.call("DELETE", f"/v1/customers/{first}").status_code == 200
    storm.settle()
    account.refresh_from_db()
    assert plan_of(account) == "free"
    assert account.customer_gone_at is not None
    assert SubscriptionState.objects.latest("effective_at").mrr_micro == 0
    assert storm.buy(account).status_code == 303
    storm.settle()
    account.refresh_from_db()
    assert account.stripe_customer_id != first
    assert account.customer_gone_at is None
    assert plan_of(account) == "premium"
    assert SubscriptionMirror.objects.live().count() == 1


def test_f16_a_price_nobody_knows_keeps_the_last_known_plan_and_tells_a_person(storm):
    account = storm.bought("ben@example.org")
    odd, subscription = foreign_price(storm), storm.subscription(account)
    item = subscription["items"]["data"][0]["id"]
    shop.change(storm.stripe, subscription["id"], **{"items[0][id]": item, "items[0][price]": odd})
    storm.settle()
    assert plan_of(account) == "premium"
    found = DriftItem.objects.get(fixed_at=None)
    assert (found.kind, found.severity, found.account, found.stripe) == ("unknown_price", "high", account, odd)
    assert Price.objects.get(pk=odd).plan_id is None


def test_f16_a_price_that_is_archived_changes_nothing_for_who_pays_it(storm):
    account = storm.bought("chloe@example.org")
    (item,) = SubscriptionMirror.objects.get().items.all()
    try:
        archived = storm.stripe.call("POST", f"/v1/prices/{item.price_id}", {"active": "false"})
        assert archived.status_code == 200
        storm.settle()
        shop.look(account)
        assert plan_of(account) == "premium"
        at = storm.past_the_period(account)
        assert plan_of(account, at=at) == "premium"
        assert SubscriptionState.objects.count() == 1
    finally:
        storm.stripe.call("POST", f"/v1/prices/{item.price_id}", {"active": "true"})


def test_f30_a_product_that_is_not_ours_is_mirrored_and_ignored(storm):
    account = storm.account("dora@example.org")
    shop.become_customer(account)
    shop.subscribe(storm.stripe, account, foreign_price(storm), card="pm_card_visa")
    storm.settle()
    paid = SubscriptionMirror.objects.get()
    assert (paid.status, paid.plan, paid.mrr_micro) == ("active", None, 0)
    assert plan_of(account) == "free"
    assert not DriftItem.objects.filter(fixed_at=None).exists()
    assert not StripeOutbox.objects.filter(account=account, payload__letter="plan_started").exists()
