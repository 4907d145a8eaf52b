"""Sign-ups, active accounts, limits and what followed, from a small story."""

from datetime import UTC, date, datetime, timedelta

import pytest

from apps.billing.models import CheckoutAttempt
from apps.reporting.days import ONE_DAY, Period
from apps.reporting.facts import read_facts
from apps.reporting.metrics.base import Slice
from apps.reporting.metrics.families import METRICS
from apps.reporting.scope import Scope
from apps.reporting.sheets.growth import STEPS, FunnelPanel
from apps.usage.models import UsageAlert
from tests import build, cast
from tests.reporting import history

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 6, 30, 12, 0, tzinfo=UTC)
JUNE = Period(date(2026, 6, 1), date(2026, 6, 30))


def at(day, hour=9, month=6):
    return datetime(2026, month, day, hour, 0, tzinfo=UTC)


def filled(*families):
    history.filled(*families, now=NOW)
    return read_facts(Scope(JUNE, NOW, "usd"), METRICS)


def meets_a_limit(account, when, percent=100):
    account.buckets.update(is_open=False)  # the window before it
    bucket = build.spent_messages(account=account, used=20, now=when)
    run = build.run(account=account, now=when)
    return UsageAlert.objects.create(
        account=account, bucket=bucket, percent=percent, run_id=run.pk, used=20, limit_value=20, raised_at=when
    )


@pytest.fixture
def story():
    """Ana and Ben sign up on 2 June and meet a limit on the 5th; Ben buys an hour later, Ana two days later."""
    ana, ben = history.account(owner=cast.ana(), at=at(2)), history.account(owner=cast.ben(), at=at(2))
    history.account(owner=cast.dana(), at=at(2))
    guest = build.person(email="guest@example.org", is_guest=True)
    history.account(owner=guest, at=at(2), is_guest=True)
    for account in (ana, ben):
        build.answer(account=account, at=at(3))
        meets_a_limit(account, at(5))
    meets_a_limit(ana, at(6), percent=80)
    for account, when in ((ben, at(5, 10)), (ana, at(7))):
        CheckoutAttempt.objects.create(
            account=account, lookup_key="premium", created_at=when, expires_at=when + ONE_DAY, state="complete"
        )
        build.stripe_subscription(account=account, at=when)
    return ana, ben


def test_from_signing_up_to_paying_step_by_step(story):
    facts = filled("growth", "activity", "movements")
    assert [facts.value(METRICS[slug], "", JUNE) for slug in STEPS] == [0, 2, 2, 2, 2, 2]
    lines = FunnelPanel().read(Scope(JUNE, NOW, "usd"), facts).lines
    assert [line.cells[1:] for line in lines] == [(0, None, None), (2, None, None)] + [(2, 1_000_000, None)] * 4


def test_only_what_is_bought_within_a_day_counts_as_following_a_limit(story):
    _ana, ben = story
    facts = filled("growth")
    assert facts.value(METRICS["limits_met"], "", JUNE) == 2
    assert facts.value(METRICS["upgrades_after_limit"], "", JUNE) == 1
    rows = METRICS["upgrades_after_limit"].rows(Slice(JUNE, {"reason": "messages"})).page("", 10)
    assert [row.cells[1] for row in rows] == [str(ben.pk)]


@pytest.mark.parametrize(
    ("cause", "dollars", "follows"),
    [("quantity", 24, 1), ("quantity", 4, 0), ("upgrade", 40, 1), ("upgrade", 8, 0), ("price_migration", 9, 0),
     ("coupon", 9, 0), ("recovered", 9, 0)],
)  # fmt: skip
def test_who_has_a_plan_and_buys_more_within_a_day_of_a_limit_follows_it(cause, dollars, follows):
    ben = history.account(owner=cast.ben(), at=at(2))
    subscription = build.stripe_subscription(account=ben, at=at(2))
    meets_a_limit(ben, at(5))
    build.subscription_state(subscription=subscription, mrr_micro=dollars * 1_000_000, at=at(5, 12), cause=cause)
    assert filled("growth").value(METRICS["upgrades_after_limit"], "", JUNE) == follows


def test_one_account_meets_a_limit_once_a_day(story):
    ana, _ben = story
    meets_a_limit(ana, at(5, 20))
    assert filled("growth").by_day("limits_met") == {date(2026, 6, 5): 2}


def test_active_accounts_are_distinct_over_their_days(story):
    ana, _ben = story
    build.answer(account=ana, at=at(3, 15))
    build.answer(account=ana, at=at(12))
    facts = filled("activity")
    expected = {3: (2, 2, 2), 9: (0, 2, 2), 10: (0, 0, 2), 12: (1, 1, 2), 18: (0, 1, 2), 19: (0, 0, 2), 30: (0, 0, 2)}
    for day, counts in expected.items():
        on = Period(date(2026, 6, day), date(2026, 6, day))
        found = tuple(facts.value(METRICS[slug], "", on) for slug in ("active_day", "active_week", "active_month"))
        assert found == counts, day
    later = Period(date(2026, 7, 1), date(2026, 7, 1))
    assert len(list(METRICS["active_month"].rows(Slice(later)).page("", 10))) == 1


def test_a_first_answer_is_the_first_ever(story):
    ana, _ben = story
    build.answer(account=ana, at=at(20, month=5))
    facts = filled("activity")
    assert facts.by_day("first_answers").get(date(2026, 6, 3)) == 1


def test_a_late_answer_restates_the_four_weeks_after_it(story):
    ana, _ben = story
    filled("activity")
    again = NOW + timedelta(minutes=20)
    build.answer(account=ana, at=at(8), recorded_at=again)
    history.filled("activity", now=again + timedelta(minutes=1))
    facts = read_facts(Scope(JUNE, again, "usd"), ["active_day"])
    assert facts.by_day("active_day")[date(2026, 6, 8)] == 1
