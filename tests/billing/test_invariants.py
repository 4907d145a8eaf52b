"""I1–I5, I9, I10, I13, I14: any history, with faults on, ends where Stripe is after one reconcile.

The seed is printed. `HISTORIES_SEED=7` plays other histories and shrinks one that fails; `HISTORIES_SEED=random`: any.
"""

import os
import random

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.billing.histories import Life

SEED = os.environ.get("HISTORIES_SEED", "")
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
# Shrinking takes minutes: it is for whoever repeats a run.
PHASES = [Phase.explicit, Phase.generate, *([Phase.shrink] if SEED else [])]
ORDINARY = settings(
    max_examples=6, stateful_step_count=12, deadline=None, suppress_health_check=SLOW, database=None, phases=PHASES
)
LONG = settings(ORDINARY, max_examples=20, stateful_step_count=30)


def live(storm, profile):
    number = random.randrange(2**32) if SEED == "random" else int(SEED or 20261126)
    print(f"HISTORIES_SEED={number}")  # noqa: T201 pytest shows it when a history fails
    life = seed(number)(type("Life", (Life,), {"storm": storm}))
    run_state_machine_as_test(life, settings=profile)


def test_any_history_ends_where_stripe_is(storm):
    live(storm, ORDINARY)


@pytest.mark.long
def test_many_long_histories_end_where_stripe_is(storm):
    live(storm, LONG)
