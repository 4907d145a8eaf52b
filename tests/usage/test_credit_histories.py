"""After any order of grants, purchases, refunds, calls, expiry and sweeps the purse agrees with its rows (I8).

Calls that credit does not cover are charged at the month's end: each is paid from one source, and told once (I7).
"""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.db import transaction
from django.db.models import F, Sum
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from apps.billing.meters import Meter
from apps.billing.models import MeterOutbox, Overage
from apps.core.errors import LimitReached, PaymentNeeded
from apps.usage import caps, credits, ledger, sweep
from apps.usage.limits import Demand
from apps.usage.models import CreditAccount, CreditGrant, UsageBucket, UsageLedger, UsageReservation
from tests import build
from tests.usage.test_ledger import used

START = datetime(2026, 3, 30, 9, 0, tzinfo=UTC)
PLAN = build.plan(models=(), limits=[], concurrency=4)
CAP = 4_000
CHARGES = 900
MOST = 600


class Histories(RuleBasedStateMachine):
    """One account with a cap, a clock that goes on over the end of a month, and calls in every state."""

    calls = Bundle("calls")

    def __init__(self):
        super().__init__()
        self.savepoint = transaction.savepoint()
        self.account = build.account(owner=build.person(email="credit@example.org"))
        self.now, self.count = START, 0
        build.cap(account=self.account, amount_micro=CAP)
        build.act(credits.grant, self.account, "promo", "history", 500, "usd", now=self.now)
        moments = {"consented_at": START, "changed_at": START}
        mirror = build.stripe_subscription(account=self.account)
        self.overage = Overage.objects.create(
            account=self.account, cap_micro=CHARGES, currency="usd", stripe_subscription_id=mirror.pk, **moments
        )
        self.gone = {}  # purchase → what of its money went back, and of it by disputes

    def teardown(self):
        transaction.savepoint_rollback(self.savepoint)

    @rule(
        amount=st.integers(1, 1_500),
        source=st.sampled_from(["promo", "support", "purchase"]),
        lasts_s=st.sampled_from([None, 90, 24 * 3600]),
    )
    def grant(self, amount, source, lasts_s):
        self.count += 1
        end = None if lasts_s is None else self.now + timedelta(seconds=lasts_s)
        build.act(credits.grant, self.account, source, str(self.count), amount, "usd", expires_at=end, now=self.now)

    @rule(is_on=st.booleans())
    def charge_usage(self, is_on):
        Overage.objects.update(is_on=is_on)

    @rule(part=st.integers(-600, 1_500), is_lost=st.booleans())
    def money_goes_back_or_comes_again(self, part, is_lost):
        bought = CreditGrant.objects.filter(source="purchase").order_by("granted_at", "id").last()
        if bought is not None:
            self.now += timedelta(microseconds=1)  # a clock moves between two looks at Stripe
            gone, lost = self.gone.get(bought.pk, (0, 0))
            gone = min(bought.amount_micro, max(0, gone + part))
            self.gone[bought.pk] = gone, min(gone, lost + max(0, part) * is_lost)
            build.act(credits.follow_refunds, bought.pk, *self.gone[bought.pk], now=self.now)

    @rule(target=calls, most=st.integers(0, MOST))
    def reserve(self, most):
        self.count += 1
        run_id = UUID(int=self.count)
        demand = Demand(PLAN, "chat-small", {Meter.SPENDING: most}, caps.caps_of(self.account, None, "usd"))
        try:
            with transaction.atomic():
                ledger.reserve(self.account, run_id, demand, timeout_s=60, now=self.now)
                ledger.reserve_payment(self.account, run_id, most, currency="usd", timeout_s=60, now=self.now)
        except (LimitReached, PaymentNeeded):  # the slots; cap or credit
            assert not UsageReservation.objects.of_run(run_id).exists()
        return run_id

    @rule(run_id=calls, price=st.integers(0, MOST + 200))
    def settle(self, run_id, price):
        if UsageReservation.objects.of_run(run_id).exists():
            build.act(ledger.settle, run_id, used(channel="api", price_micro=price, occurred_at=self.now), now=self.now)

    @rule(run_id=calls)
    def release(self, run_id):
        build.act(ledger.release, run_id, now=self.now)

    @rule(seconds=st.sampled_from([1, 60, 121, 24 * 3600]))
    def wait(self, seconds):
        self.now += timedelta(seconds=seconds)

    @rule()
    def sweep(self):
        sweep.expire_reservations(now=self.now)
        sweep.expire_credit(now=self.now)

    def purse(self):
        return CreditAccount.objects.get(account=self.account)

    @invariant()
    def the_balance_is_the_sum_of_the_ledger(self):
        moved = UsageLedger.objects.aggregate(total=Sum("credit_micro"))["total"]
        assert self.purse().balance_micro == moved

    @invariant()
    def what_is_left_of_the_grants_is_the_balance_or_nothing_under_a_debt(self):
        left = CreditGrant.objects.aggregate(total=Sum("remaining_micro"))["total"]
        assert left == max(0, self.purse().balance_micro)

    @invariant()
    def earned_is_what_was_charged_and_what_of_the_bought_is_neither_left_nor_given_back(self):
        ledger_rows = UsageLedger.objects.aggregate(earned=Sum("earned_micro"), charged=Sum("charged_micro"))
        used_up = Sum(F("amount_micro") - F("remaining_micro") - F("refunded_micro"))
        bought = CreditGrant.objects.filter(source="purchase").aggregate(total=used_up)["total"] or 0
        assert ledger_rows["earned"] == ledger_rows["charged"] + bought

    @invariant()
    def below_nothing_only_with_a_debt_row(self):
        if self.purse().balance_micro < 0:
            assert UsageLedger.objects.filter(kind="debt").exists()

    @invariant()
    def no_more_is_taken_back_than_went_back(self):
        for grant in CreditGrant.objects.filter(source="purchase"):
            gone, _lost = self.gone.get(grant.pk, (0, 0))
            assert grant.refunded_micro == gone
            assert 0 <= grant.taken_back_micro <= gone

    @invariant()
    def each_call_has_one_source_and_is_told_once(self):
        for row in UsageLedger.objects.filter(kind="settle"):
            assert not (row.credit_micro and row.charged_micro)
            told = MeterOutbox.objects.filter(ledger_id=row.pk).values_list("value", flat=True)
            assert list(told) == ([row.charged_micro] if row.charged_micro else [])

    @invariant()
    def no_month_charges_more_than_its_cap_but_by_what_its_calls_cost_beyond_their_ceiling(self):
        for bucket in UsageBucket.objects.filter(meter="usage_charges"):
            assert bucket.reserved <= CHARGES
            calls = bucket.reservations.filter(state="settled").count()
            assert bucket.settled <= CHARGES + calls * (MOST + 200)

    @invariant()
    def what_is_set_aside_is_what_open_calls_hold(self):
        held = UsageReservation.objects.filter(state="open", bucket=None).aggregate(total=Sum("amount"))["total"] or 0
        assert self.purse().reserved_micro == held

    @invariant()
    def no_month_passes_its_cap_but_by_what_its_calls_cost_beyond_their_ceiling(self):
        for bucket in UsageBucket.objects.filter(meter="spending"):
            assert bucket.reserved <= CAP
            calls = bucket.reservations.filter(state="settled").count()
            assert bucket.settled <= CAP + calls * (MOST + 200)

    @invariant()
    def each_month_is_the_sum_of_the_calls_that_began_in_it(self):
        for bucket in UsageBucket.objects.filter(meter="spending"):
            runs = bucket.reservations.filter(state="settled").values("run_id")
            booked = UsageLedger.objects.filter(kind="settle", run_id__in=runs).aggregate(total=Sum("price_micro"))
            assert bucket.settled == (booked["total"] or 0)


@pytest.mark.django_db
def test_any_history_keeps_the_purse():
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large]
    run_state_machine_as_test(
        Histories,
        settings=settings(max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=checks),
    )
