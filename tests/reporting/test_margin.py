"""What is left of what was earned: the vectors of metrics.md, and where revenue and cost come from."""

from datetime import timedelta

import pytest

from apps.billing.models import (
    CreditPayment,
    DisputeMirror,
    InvoiceMirror,
    PaymentMirror,
    Price,
    RefundMirror,
    SubscriptionItemMirror,
)
from apps.reporting import scope as scopes
from apps.reporting.days import Period
from apps.reporting.facts import read_split
from apps.reporting.metrics.base import Fact, Parts, Slice
from apps.reporting.metrics.families import METRICS
from apps.reporting.metrics.margin import Margin, MarginRatio
from apps.reporting.models import AccountMonth, MetricDay
from tests import build, cast
from tests.reporting import history
from tests.reporting.history import DAY_1, DAY_2, FIRST, NOW, SECOND


class Known(Parts):
    """Sums that are known, in hundredths."""

    def __init__(self, **sums):
        self.sums = sums

    def sum(self, slug):
        return self.sums.get(slug, 0) * 10_000

    def end(self, slug):
        raise AssertionError(slug)

    start = end


def revenue(amount, **spent):
    return {"recognised_revenue": amount, **spent}


@pytest.mark.parametrize(
    ("sums", "left", "percent"),
    [
        pytest.param(revenue(9_00, model_cost=2_10), 6_90, 76.6667, id="V12a"),
        pytest.param(revenue(9_00, model_cost=40_00), -31_00, -344.4444, id="V12b"),
        pytest.param(revenue(30_00, payment_fees=90, infrastructure=1_50 + 1_20 + 80), 25_60, 85.3333, id="V13a"),
        pytest.param(revenue(30_00, payment_fees=90, infrastructure=3_50, model_cost=11_25), 14_35, 47.8333, id="V13b"),
        pytest.param(
            revenue(1_000_00, model_cost=320_00, payment_fees=45_00, infrastructure=35_00), 600_00, 60.0, id="C25"
        ),
        pytest.param(revenue(1_500_00, model_cost=458_72), 1_041_28, 69.4187, id="V14"),
        pytest.param({"api_revenue": 12_34, "model_cost": 2_34}, 10_00, 81.0373, id="C18 overage alone"),
        pytest.param({"model_cost": 1_00}, -1_00, None, id="nothing earned"),
    ],
)
def test_what_is_left_in_money_and_of_each_hundred(sums, left, percent):
    assert Margin().combine(Known(**sums)) == left * 10_000
    found = MarginRatio().combine(Known(**sums))
    assert found == (None if percent is None else round(percent * 10_000))


@pytest.fixture
def two_plans(db):
    """C26: revenue 1,000, the payers' models cost 200, those of free accounts 150."""
    ben, ana = history.account(owner=cast.ben()), history.account(owner=cast.ana())
    subscription = build.stripe_subscription(account=ben, at=FIRST)
    history.invoice(account=ben, length=timedelta(days=1), total_minor=1_000_00, stripe_subscription_id=subscription.pk)
    build.answer(account=ben, at=FIRST, plan_key="premium", cost_micro=200_000_000)
    build.answer(account=ana, at=FIRST, plan_key="free", cost_micro=150_000_000)
    return ben, ana


def test_a_plan_is_judged_by_its_own_cost_and_the_whole_by_all_of_it(two_plans):
    history.filled("earnings", "cost", now=NOW)
    scope = scopes.Scope(Period(DAY_1, DAY_1), NOW, "usd")
    of_plans = read_split(scope, ["margin_ratio"], "plan")
    ratios = {plan: facts.value(METRICS["margin_ratio"], "usd", scope.period) for plan, facts in of_plans.items()}
    assert ratios == {"premium": 800_000, "free": None}
    assert sum(facts.value(METRICS["margin"], "usd", scope.period) for facts in of_plans.values()) == 650_000_000
    assert [fact.value for fact in METRICS["free_model_cost"].compute(DAY_1)] == [150_000_000]


def test_revenue_belongs_to_the_plan_that_the_invoice_paid(db):
    ben = history.account(owner=cast.ben())
    subscription = build.stripe_subscription(account=ben, at=FIRST)
    plus = build.stripe_subscription(account=ben, plan="premium_plus", at=FIRST, mrr_micro=0, status="incomplete").plan
    build.subscription_state(subscription=subscription, mrr_micro=40_000_000, at=SECOND, plan=plus, cause="upgrade")
    history.invoice(account=ben, stripe_subscription_id=subscription.pk)
    history.invoice(account=ben, start=SECOND, total_minor=31_00, stripe_subscription_id=subscription.pk)
    earned = sorted(METRICS["recognised_revenue"].compute(DAY_2), key=lambda fact: fact.plan)
    assert earned == [
        Fact("recognised_revenue", 260_000, plan="premium", currency="usd"),
        Fact("recognised_revenue", 1_000_000, plan="premium_plus", currency="usd"),
    ]


def test_the_invoice_of_a_months_usage_is_not_earned_twice(db):
    ben = history.account(owner=cast.ben())
    metered = build.stripe_subscription(account=ben, at=FIRST, mrr_micro=0)
    type(metered).objects.filter(pk=metered.pk).update(plan=None)
    price = Price.objects.create(
        stripe_price_id="price_metered", livemode=False, currency="usd", interval="month", interval_count=1,
        unit_amount_minor=0, is_active=True, usage_type="metered",
    )  # fmt: skip
    SubscriptionItemMirror.objects.create(stripe_item_id="si_1", subscription=metered, price=price, quantity=None)
    history.invoice(account=ben, total_minor=12_34, stripe_subscription_id=metered.pk)
    build.answer(account=ben, at=FIRST, channel="api", price_micro=12_340_000, earned_micro=12_340_000)
    assert list(METRICS["recognised_revenue"].compute(DAY_1)) == []
    assert list(METRICS["api_revenue"].compute(DAY_1)) == [Fact("api_revenue", 12_340_000, plan="free", currency="usd")]


def gone_back(table, key, payment, minor, at, **fields):
    names = {RefundMirror: ("stripe_refund_id", "succeeded"), DisputeMirror: ("stripe_dispute_id", "lost")}
    name, status = names[table]
    defaults = {"currency": "usd", "status": status, "created": at, "synced_at": at, "amount_minor": minor}
    return table.objects.create(
        account=payment.account, stripe_payment_intent_id=payment.pk, **{name: key}, **defaults, **fields
    )


@pytest.fixture
def taxed(db):
    """9.52 for one day, of which 1.52 is tax."""
    invoice = history.invoice(
        account=history.account(owner=cast.ben()), length=timedelta(days=1), total_minor=9_52, tax_minor=1_52
    )
    return PaymentMirror.objects.create(
        stripe_payment_intent_id="pi_1", account=invoice.account, invoice=invoice, status="succeeded",
        amount_minor=9_52, currency="usd", created=FIRST, synced_at=FIRST,
    )  # fmt: skip


def earned(now=NOW):
    history.filled("earnings", "accounts", now=now)
    facts = MetricDay.objects.filter(metric="recognised_revenue").order_by("day").values_list("value", flat=True)
    assert sum(AccountMonth.objects.values_list("revenue_micro", flat=True)) == sum(facts)
    return list(facts)


def test_tax_is_not_earned(taxed):
    assert earned() == [8_000_000]
    [row] = METRICS["recognised_revenue"].rows(Slice(Period(DAY_1, DAY_1))).page("", 9)
    assert row.cells[-2:] == (8_000_000, 8_000_000)


def test_c16_what_goes_back_in_parts_takes_all_that_was_earned_and_no_tax(taxed):
    for number, minor in enumerate((3_17, 3_17, 3_18)):
        gone_back(RefundMirror, f"re_{number}", taxed, minor, SECOND + timedelta(minutes=number))
    assert earned() == [8_000_000, -8_000_000]
    rows = METRICS["recognised_revenue"].rows(Slice(Period(DAY_2, DAY_2))).page("", 9)
    assert sorted(row.cells[-1] for row in rows) == [-2_670_000, -2_670_000, -2_660_000, 0]  # and the invoice


def test_a_lost_dispute_takes_no_tax_either(taxed):
    gone_back(DisputeMirror, "du_1", taxed, 9_52, SECOND)
    assert earned() == [8_000_000, -8_000_000]


def test_tax_that_is_known_later_restates_the_days_of_the_invoice_and_of_its_refund(taxed):
    gone_back(RefundMirror, "re_1", taxed, 9_52, SECOND)
    InvoiceMirror.objects.update(tax_minor=0)
    later = NOW + timedelta(days=2)
    assert earned(later) == [9_520_000, -9_520_000]
    InvoiceMirror.objects.update(tax_minor=1_52, synced_at=later + timedelta(minutes=3))
    history.filled("earnings", now=later + timedelta(minutes=5))
    facts = MetricDay.objects.filter(metric="recognised_revenue").order_by("day").values_list("value", flat=True)
    assert list(facts) == [8_000_000, -8_000_000]


def test_a_refund_of_credit_takes_nothing_from_subscriptions(db):
    ben = history.account(owner=cast.ben())
    CreditPayment.objects.create(
        stripe_payment_intent_id="pi_1", account=ben, status="succeeded", amount_minor=20_00, currency="usd",
        created=FIRST, synced_at=FIRST,
    )  # fmt: skip
    for intent in ("pi_1", "pi_of_a_subscription"):
        RefundMirror.objects.create(
            stripe_refund_id=f"re_{intent}", account=ben, amount_minor=5_00, currency="usd", status="succeeded",
            stripe_payment_intent_id=intent, created=FIRST, synced_at=FIRST,
        )  # fmt: skip
    assert [fact.value for fact in METRICS["recognised_revenue"].compute(DAY_1)] == [-5_000_000]


def test_an_answer_costs_what_the_setting_says_besides_the_model(db, settings):
    settings.INFRASTRUCTURE_MICRO_PER_ANSWER = 700
    for _ in range(3):
        build.answer(account=build.account(owner=build.person(email=f"{_}@example.org")), at=FIRST)
    [fact] = METRICS["infrastructure"].compute(DAY_1)
    assert (fact.value, fact.currency, fact.plan, fact.model) == (2_100, "usd", "free", "chat-small")
