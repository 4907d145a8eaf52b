"""After any order of reserve, settle, release and sweep, buckets and ledger agree and no limit is passed (I6, I7)."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.db import transaction
from django.db.models import Sum
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from apps.billing.meters import Meter
from apps.core.errors import LimitReached
from apps.usage import ledger, sweep
from apps.usage.limits import Demand
from apps.usage.models import UsageBucket, UsageLedger, UsageReservation, UsageSlice
from tests import build
from tests.usage.test_ledger import used

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MOST_TOKENS = 900
HIGHEST = {"messages:chat-small:3h": 4, "messages:chat-small:7d": 9, "tokens:*:1d": 2_000, "concurrency:*:": 3}


def plan_of(*, concurrency, each, week, tokens):
    return build.plan(
        concurrency=concurrency,
        limits=[
            build.limit(amount=each),
            build.limit(amount=week, window="7d"),
            build.limit(meter=Meter.TOKENS, models=(), amount=tokens, window="1d"),
        ],
    )


LARGER = plan_of(concurrency=3, each=4, week=9, tokens=2_000)
SMALLER = plan_of(concurrency=1, each=2, week=5, tokens=1_000)


class Histories(RuleBasedStateMachine):
    """One account, a clock that goes on, and runs in every state."""

    runs = Bundle("runs")

    def __init__(self):
        super().__init__()
        self.savepoint = transaction.savepoint()  # not a block: acts open their own, durable ones
        self.account = build.account(owner=build.person(email="history@example.org"))
        self.now, self.count, self.plan = START, 0, LARGER
        self.tokens = {}  # run → what it settled first

    def teardown(self):
        transaction.savepoint_rollback(self.savepoint)

    @rule(target=runs, tokens=st.integers(1, MOST_TOKENS))
    def reserve(self, tokens):
        self.count += 1
        run_id = UUID(int=self.count)
        demand = Demand(self.plan, "chat-small", {Meter.MESSAGES: 1, Meter.TOKENS: tokens})
        before = self.reserved()
        try:
            with transaction.atomic():
                build.act(ledger.reserve, self.account, run_id, demand, timeout_s=60, now=self.now)
        except LimitReached:
            assert self.reserved() == before
            assert not UsageReservation.objects.of_run(run_id).exists()
        return run_id

    @rule(run_id=runs, tokens=st.integers(0, MOST_TOKENS))
    def settle(self, run_id, tokens):
        if not UsageReservation.objects.of_run(run_id).exists():
            return
        facts = used(input_tokens=tokens, output_tokens=0, occurred_at=self.now)
        row = build.act(ledger.settle, run_id, facts, now=self.now).row
        assert row.input_tokens == self.tokens.setdefault(run_id, tokens)

    @rule(run_id=runs)
    def release(self, run_id):
        build.act(ledger.release, run_id, now=self.now)

    @rule(seconds=st.sampled_from([1, 60, 121, 3 * 3600, 24 * 3600, 7 * 24 * 3600]))
    def wait(self, seconds):
        self.now += timedelta(seconds=seconds)

    @rule(plan=st.sampled_from([LARGER, SMALLER]))
    def change_plan(self, plan):
        self.plan = plan

    @rule()
    def sweep(self):
        sweep.expire_reservations(now=self.now)

    def reserved(self):
        return sorted(UsageBucket.objects.values_list("limit_key", "window_start", "reserved"))

    @invariant()
    def each_bucket_agrees_with_its_reservations_and_the_ledger(self):
        for bucket in UsageBucket.objects.all():
            held = bucket.reservations.all()
            assert bucket.reserved == sum(row.amount for row in held if row.state == "open")
            booked = [self.tokens[row.run_id] for row in held if row.state == "settled"]
            sums = {"messages": len(booked), "tokens": sum(booked), "concurrency": 0}
            assert bucket.settled == sums[bucket.meter]
            late = MOST_TOKENS if bucket.meter == "tokens" else 1
            overshoot = late * held.filter(state="settled").count()
            assert bucket.reserved <= HIGHEST[bucket.limit_key]
            assert bucket.settled <= HIGHEST[bucket.limit_key] + overshoot

    @invariant()
    def a_run_leaves_one_row(self):
        assert UsageLedger.objects.count() == len(self.tokens)

    @invariant()
    def the_quarters_of_an_hour_sum_up_to_the_ledger(self):
        in_slices = UsageSlice.objects.aggregate(answers=Sum("answers"), tokens=Sum("input_tokens"))
        assert (in_slices["answers"] or 0, in_slices["tokens"] or 0) == (len(self.tokens), sum(self.tokens.values()))

    @invariant()
    def at_most_one_window_is_open_for_a_limit(self):
        keys = list(UsageBucket.objects.filter(is_open=True).values_list("limit_key", flat=True))
        assert len(keys) == len(set(keys))


@pytest.mark.django_db
def test_any_history_keeps_the_books():
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large]
    run_state_machine_as_test(
        Histories,
        settings=settings(max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=checks),
    )
