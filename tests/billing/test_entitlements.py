"""Snapshots keep what was decided; what is in force is read from one row."""

from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from apps.billing import account_state, entitlements, grants, plan_versions, plans
from apps.billing.access import Decision
from apps.billing.catalogue_file import STATUSES
from apps.billing.grants import Span
from apps.billing.meters import Meter
from apps.billing.models import BillingAccount, EntitlementSnapshot, PlanGrant, SubscriptionMirror
from tests import build
from tests.build import NOW

DAY = timedelta(days=1)


def record(account, decision, now=NOW):
    with transaction.atomic():
        return entitlements.record(account, decision, now=now)


def test_an_account_is_made_once(ana):
    first = entitlements.account_for(ana, now=NOW)
    assert entitlements.account_for(ana, now=NOW + DAY) == first
    assert (first.created_at, first.livemode) == (NOW, False)


def test_who_bought_nothing_has_the_default_plan(account):
    assert entitlements.plan_for(account, now=NOW).key == "free"
    assert record(account, Decision("free", "default", "no_subscription")) is None
    assert not EntitlementSnapshot.objects.exists()


def test_a_snapshot_is_in_force_until_it_runs_out(account):
    record(account, Decision("premium", "subscription", "past_due", NOW + 7 * DAY))
    assert entitlements.plan_for(account, now=NOW + 6 * DAY).key == "premium"
    assert entitlements.plan_for(account, now=NOW + 7 * DAY).key == "free"


def test_a_decision_that_says_nothing_new_writes_nothing(account):
    bought = Decision("premium", "subscription", "active")
    assert record(account, bought).version == 1
    assert record(account, bought, NOW + DAY) is None
    assert record(account, Decision("free", "default", "canceled"), NOW + DAY).version == 2
    assert entitlements.plan_for(account, now=NOW + DAY).key == "free"


def test_subscribers_keep_their_terms_where_the_catalogue_lets_them(account, settings, tmp_path):
    record(account, Decision("premium", "subscription", "active"))
    text = settings.CATALOGUE_PATH.read_text().replace("amount = 300", "amount = 30", 1)
    path = tmp_path / "stay.toml"
    path.write_text(text.replace('existing_subscribers = "move"', 'existing_subscribers = "stay"', 1))
    settings.CATALOGUE_PATH = path
    assert record(account, Decision("premium", "subscription", "active")) is None
    assert entitlements.plan_for(account, now=NOW).limits[0].amount == 300


def test_subscribers_move_to_new_terms_where_the_catalogue_says_so(account, settings, tmp_path):
    record(account, Decision("premium", "subscription", "active"))
    path = tmp_path / "move.toml"
    path.write_text(settings.CATALOGUE_PATH.read_text().replace("amount = 300", "amount = 30", 1))
    settings.CATALOGUE_PATH = path
    assert record(account, Decision("premium", "subscription", "active")).plan_version.version == 2
    assert entitlements.plan_for(account, now=NOW).limits[0].amount == 30


@pytest.mark.parametrize(
    "decision",
    [
        Decision("premium", "subscription", "active"),
        Decision("premium", "grant", "granted", NOW + DAY),
        Decision("free", "default", "canceled"),
    ],
)
def test_plan_for_asks_the_database_once(account, decision, django_assert_num_queries):
    record(account, decision)
    with django_assert_num_queries(1):
        entitlements.plan_for(account, now=NOW)


def test_plan_for_asks_the_database_once_where_nothing_was_bought(account, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert entitlements.plan_for(account, now=NOW).key == "free"


# --- when the time of a snapshot is over ---
def row_of(plan):
    return build.act(plan_versions.ensure, plans.catalogue(), plans.catalogue().plans[plan], now=NOW)[0].plan


def subscribe(account, plan="premium", *, key="sub_1", status="active", **fields):
    return SubscriptionMirror.objects.create(
        stripe_subscription_id=key,
        account=account,
        plan=row_of(plan),
        status=status,
        currency="usd",
        started_at=NOW,
        synced_at=NOW,
        **fields,
    )


def test_when_grace_is_over_a_grant_still_gives_its_plan(account):
    subscribe(account, status="past_due")
    BillingAccount.objects.filter(pk=account.pk).update(delinquent_since=NOW)
    account.refresh_from_db()
    grants.give(account, "premium", Span(NOW, NOW + 30 * DAY), reason="an outage", by=None, now=NOW)
    assert EntitlementSnapshot.objects.get().reason == "past_due"
    assert entitlements.in_force(account, now=NOW + 7 * DAY).source == "grant"
    assert entitlements.plan_for(account, now=NOW + 7 * DAY).key == "premium"
    assert entitlements.plan_for(account, now=NOW + 30 * DAY).key == "free"


def test_when_a_grant_is_over_the_subscription_beneath_counts(account):
    subscribe(account)
    grants.give(account, "premium_plus", Span(NOW, NOW + 30 * DAY), reason="a trial", by=None, now=NOW)
    assert entitlements.plan_for(account, now=NOW).key == "premium_plus"
    assert entitlements.plan_for(account, now=NOW + 30 * DAY).key == "premium"
    assert EntitlementSnapshot.objects.count() == 1  # reading writes nothing


def test_a_plan_that_left_the_catalogue_stays_readable_when_its_snapshot_runs_out(account, settings, tmp_path):
    grants.give(account, "premium", Span(NOW, NOW + DAY), reason="a trial", by=None, now=NOW)
    grants.give(account, "premium", Span(NOW + DAY, NOW + 2 * DAY), reason="more of it", by=None, now=NOW)
    text = settings.CATALOGUE_PATH.read_text()
    path = tmp_path / "without.toml"
    path.write_text(
        text.replace("[plans.premium]", "[plans.other]").replace("plans.premium.limit", "plans.other.limit")
    )
    settings.CATALOGUE_PATH = path
    assert entitlements.plan_for(account, now=NOW + DAY).name == "Premium"


mirrors = st.lists(
    st.tuples(
        st.sampled_from(["premium", "premium_plus"]), st.sampled_from(STATUSES), st.integers(-9, 9), st.booleans()
    ),
    max_size=3,
)
gifts = st.lists(
    st.tuples(st.sampled_from(["premium", "premium_plus"]), st.integers(-9, 9), st.none() | st.integers(1, 9)),
    max_size=3,
)


@examples(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    mirrors, gifts, st.sampled_from(["", "", "dispute"]), st.none() | st.integers(-9, 9), st.lists(st.integers(0, 480))
)
def test_what_is_read_back_later_is_what_would_be_decided_then(account, mirrors, gifts, hold, delinquent, hours):
    with transaction.atomic():
        fill(account, mirrors, gifts, hold, delinquent)
        entitlements.refresh(account, now=NOW)
        for hour in hours:
            at = NOW + timedelta(hours=hour)
            right, has = entitlements.decide_for(account, now=at), entitlements.in_force(account, now=at)
            assert (has.terms.key, has.source, has.valid_until) == (right.plan, right.source, right.valid_until)
            assert entitlements.plan_for(account, now=at) == has.terms
        transaction.set_rollback(True)


def fill(account, mirrors, gifts, hold, delinquent):
    account.hold_reason, account.delinquent_since = hold, None if delinquent is None else NOW + delinquent * DAY
    account.save(update_fields=["hold_reason", "delinquent_since"])
    for number, (plan, status, days, is_paused) in enumerate(mirrors):
        end = NOW + days * DAY
        subscribe(
            account, plan, key=f"sub_{number}", status=status, current_period_end=end, is_collection_paused=is_paused
        )
    for plan, start, length in gifts:
        starts_at = NOW + start * DAY
        ends_at = None if length is None else starts_at + length * DAY
        PlanGrant.objects.create(
            account=account, plan=row_of(plan), reason="a test", starts_at=starts_at, ends_at=ends_at
        )


# --- what pages say ---
def test_since_when_somebody_has_these_terms(account):
    assert entitlements.since(account, now=NOW) is None
    record(account, Decision("premium", "trial", "trialing"))
    record(account, Decision("premium", "subscription", "active"), NOW + DAY)
    assert entitlements.since(account, now=NOW + 2 * DAY) == NOW
    record(account, Decision("premium_plus", "subscription", "active"), NOW + 3 * DAY)
    assert entitlements.since(account, now=NOW + 4 * DAY) == NOW + 3 * DAY
    record(account, Decision("premium", "subscription", "active"), NOW + 5 * DAY)
    assert entitlements.since(account, now=NOW + 6 * DAY) == NOW + 5 * DAY
    record(account, Decision("free", "default", "canceled"), NOW + 7 * DAY)
    assert entitlements.since(account, now=NOW + 8 * DAY) is None


def ends_at(account):
    return account_state.state_for(account, now=NOW)["ends_at"]


def test_a_grant_that_ends_is_said_to_end(account):
    grants.give(account, "premium", Span(NOW, NOW + 9 * DAY), reason="a trial", by=None, now=NOW)
    assert ends_at(account) == NOW + 9 * DAY
    grants.give(account, "premium", Span(NOW + 8 * DAY, NOW + 20 * DAY), reason="more", by=None, now=NOW)
    assert ends_at(account) == NOW + 20 * DAY


def test_a_grant_to_come_is_no_end_of_what_somebody_has(account):
    subscribe(account)
    grants.give(account, "premium_plus", Span(NOW + DAY, NOW + 9 * DAY), reason="a gift", by=None, now=NOW)
    assert EntitlementSnapshot.objects.get().valid_until == NOW + DAY
    assert ends_at(account) is None


@pytest.mark.parametrize(
    ("model", "meter", "above", "expected"),
    [
        ("chat-small", Meter.MESSAGES, 20, "premium"),
        ("chat-small", Meter.MESSAGES, 300, "premium_plus"),
        ("chat-small", Meter.MESSAGES, None, None),
        ("chat-large", Meter.MESSAGES, 0, "premium"),
        ("chat-large", Meter.MESSAGES, 1000, None),
        ("chat-small", Meter.CONCURRENCY, 1, "premium"),
        ("chat-small", Meter.CONCURRENCY, 3, "premium_plus"),
        ("chat-small", Meter.CONCURRENCY, 6, None),
        ("chat-small", Meter.IMAGES, 0, None),
    ],
)
def test_the_cheapest_plan_with_more_room(model, meter, above, expected):
    assert entitlements.lifting_plan(model, meter, above) == expected


@pytest.mark.parametrize(
    ("window", "above", "expected"),
    [
        (timedelta(days=7), 80, "premium"),
        (timedelta(days=7), 400, "premium"),  # 1,500 a week, though 300 in 3 hours
        (timedelta(days=7), 1500, "premium_plus"),
        (timedelta(hours=3), 400, "premium_plus"),
        (timedelta(days=1), 9999, "premium"),  # nothing there counts days
    ],
)
def test_the_cheapest_plan_with_more_room_in_the_same_window(window, above, expected):
    assert entitlements.lifting_plan("chat-small", Meter.MESSAGES, above, window=window) == expected


def test_the_state_of_who_bought_nothing(account):
    state = account_state.state_for(account, now=NOW)
    assert state == {
        "plan": {"key": "free", "name": "Free"},
        "source": "default",
        "status": "no_subscription",
        "trial_ends_at": None,
        "renews_at": None,
        "renewal": None,
        "ends_at": None,
        "change": None,
        "card": None,
        "is_confirming": False,
        "limits": [
            {"meter": "messages", "models": ("chat-small",), "amount": 20, "window_s": 10_800},
            {"meter": "messages", "models": ("chat-small",), "amount": 80, "window_s": 604_800},
        ],
    }
