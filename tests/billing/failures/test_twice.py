"""F7, F23: two subscriptions where one was meant, and two accounts of one person."""

import pytest

from apps.billing import checkout, merging
from apps.billing.errors import NotMergeable
from apps.billing.models import BillingAccount, CheckoutAttempt, DriftItem, RefundMirror, SubscriptionMirror
from tests.support import shop
from tests.support.storm import plan_of


def test_f07_of_two_sessions_that_were_both_paid_the_newest_stays_and_the_other_is_paid_back(storm):
    account = storm.account("ana@example.org")
    pages = []
    for plan in ("premium", "premium_plus"):
        pages.append(checkout.open_checkout(account, plan, "month", "usd", now=shop.now()))
        CheckoutAttempt.objects.update(state="expired")  # as if the answer that closes the page had got lost
    for page in pages:
        assert shop.pay(page).status_code == 303
    account.refresh_from_db()
    storm.settle()
    ended, kept = (SubscriptionMirror.objects.get(plan=plan) for plan in ("premium", "premium_plus"))
    assert (ended.status, kept.status, plan_of(account)) == ("canceled", "active", "premium_plus")
    assert [one["status"] for one in storm.subscriptions(account)].count("active") == 1
    assert (RefundMirror.objects.get().amount_minor, RefundMirror.objects.get().status) == (800, "succeeded")
    told = DriftItem.objects.get(kind="multiple_live")
    assert (told.account, told.severity, told.fixed_at is not None) == (account, "high", True)


def merge(source, into):
    merging.merge(source, into, reason="one person", by=None, now=shop.now())


def test_f23_when_two_accounts_become_one_the_subscription_and_its_news_go_along(storm):
    account, other = storm.bought("ben@example.org"), storm.account("benjamin@example.org")
    customer = account.stripe_customer_id
    merge(account, other)
    storm.settle()
    assert (plan_of(account), plan_of(other)) == ("free", "premium")
    assert storm.stripe.call("GET", f"/v1/customers/{customer}").json()["metadata"]["account_id"] == str(other.pk)
    (subscription,) = [one for one in storm.stripe.objects("subscription") if one["customer"] == customer]
    shop.change(storm.stripe, subscription["id"], cancel_at_period_end="true")
    storm.settle()
    paid = SubscriptionMirror.objects.get()
    assert (paid.account, paid.cancel_at_period_end) == (other, True)


def test_f23_two_who_both_pay_are_not_made_one(storm):
    accounts = [storm.bought(f"chloe-{number}@example.org") for number in range(2)]
    before = list(BillingAccount.objects.order_by("pk").values("stripe_customer_id"))
    with pytest.raises(NotMergeable):
        merge(*accounts)
    assert list(BillingAccount.objects.order_by("pk").values("stripe_customer_id")) == before
    assert [plan_of(account) for account in accounts] == ["premium", "premium"]
