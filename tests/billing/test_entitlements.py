"""What an account may use: the decision, and the snapshots that keep it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from apps.billing import entitlements
from apps.billing.catalogue_file import STATUSES
from apps.billing.entitlements import Decision, Rules, Standing, Subscribed, decide
from apps.billing.meters import Meter
from apps.billing.models import EntitlementSnapshot
from tests.build import NOW

DAY = timedelta(days=1)
POLICY = {
    "trialing": "plan",
    "active": "plan",
    "past_due": "grace",
    "unpaid": "default",
    "paused": "default",
    "canceled": "default",
    "incomplete": "default",
    "incomplete_expired": "default",
    "paused_collection": "period_end",
}
RULES = Rules("freemium", "free", 7, POLICY)
PREMIUM = Subscribed("premium", 10, "active", NOW + 20 * DAY)
PLUS = Subscribed("premium_plus", 20, "active", NOW + 20 * DAY)
GOOD = Standing()


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("active", Decision("premium", "subscription", "active")),
        ("trialing", Decision("premium", "trial", "trialing")),
        ("unpaid", Decision("free", "default", "unpaid")),
        ("paused", Decision("free", "default", "paused")),
        ("canceled", Decision("free", "default", "canceled")),
        ("incomplete", Decision("free", "default", "incomplete")),
        ("incomplete_expired", Decision("free", "default", "incomplete_expired")),
        ("a word Stripe invents", Decision("free", "default", "a word Stripe invents")),
    ],
)
def test_each_status(status, expected):
    assert decide([replace(PREMIUM, status=status)], GOOD, RULES, now=NOW) == expected


def test_nothing_was_bought():
    assert decide([], GOOD, RULES, now=NOW) == Decision("free", "default", "no_subscription")


def test_grace_lasts_seven_days_from_the_first_failure():
    late, standing = [replace(PREMIUM, status="past_due")], Standing(delinquent_since=NOW)
    kept = Decision("premium", "subscription", "past_due", NOW + 7 * DAY)
    assert decide(late, standing, RULES, now=NOW) == kept
    assert decide(late, standing, RULES, now=NOW + 7 * DAY - timedelta(seconds=1)) == kept
    assert decide(late, standing, RULES, now=NOW + 7 * DAY) == Decision("free", "default", "past_due")


def test_paused_collection_ends_with_what_was_paid():
    paused = [replace(PREMIUM, is_collection_paused=True)]
    assert decide(paused, GOOD, RULES, now=NOW) == Decision("premium", "subscription", "active", NOW + 20 * DAY)
    assert decide(paused, GOOD, RULES, now=NOW + 20 * DAY).plan == "free"


def test_paused_collection_may_be_kept_by_the_catalogue():
    keeps = replace(RULES, policy={**POLICY, "paused_collection": "keep"})
    paused = [replace(PREMIUM, is_collection_paused=True)]
    assert decide(paused, GOOD, keeps, now=NOW + 40 * DAY) == Decision("premium", "subscription", "active")


def test_a_dispute_holds_whatever_is_paid():
    assert decide([PREMIUM], Standing("dispute"), RULES, now=NOW) == Decision("free", "default", "hold_dispute")


def test_of_several_plans_the_highest_counts():
    assert decide([PREMIUM, PLUS], GOOD, RULES, now=NOW).plan == "premium_plus"
    assert decide([PREMIUM, replace(PLUS, status="canceled")], GOOD, RULES, now=NOW).plan == "premium"


def test_paid_only_says_that_nothing_is_given():
    assert decide([], GOOD, replace(RULES, mode="paid_only"), now=NOW) == Decision("free", "none", "no_subscription")


def test_internal_gives_everybody_the_same():
    assert decide([PREMIUM], GOOD, replace(RULES, mode="internal"), now=NOW).plan == "free"


subscriptions = st.lists(
    st.builds(
        Subscribed,
        plan=st.sampled_from(["premium", "premium_plus"]),
        rank=st.sampled_from([10, 20]),
        status=st.sampled_from(STATUSES),
        period_end=st.none() | st.integers(-30, 30).map(lambda days: NOW + days * DAY),
        is_collection_paused=st.booleans(),
    ),
    max_size=4,
)
standings = st.builds(
    Standing,
    hold_reason=st.sampled_from(["", "dispute"]),
    delinquent_since=st.none() | st.integers(-30, 30).map(lambda days: NOW + days * DAY),
)


@given(subscriptions, standings)
def test_the_same_facts_give_the_same_answer_in_any_order(found, standing):
    first = decide(found, standing, RULES, now=NOW)
    assert decide(found, standing, RULES, now=NOW) == first
    assert decide(list(reversed(found)), standing, RULES, now=NOW) == first


@given(subscriptions, standings)
def test_nobody_has_a_paid_plan_without_a_subscription_that_gives_it(found, standing):
    answer = decide(found, standing, RULES, now=NOW)
    giving = {one.plan for one in found if one.status in ("active", "trialing", "past_due")}
    if answer.source in entitlements.NOT_PAID:
        assert answer.plan == "free"
    else:
        assert answer.plan in giving
        assert not standing.hold_reason
        assert answer.valid_until is None or answer.valid_until > NOW


@given(subscriptions)
def test_who_paid_for_the_period_is_never_below_the_plan(found):
    paid = [one for one in found if one.status == "active" and not one.is_collection_paused]
    answer = decide(found, GOOD, RULES, now=NOW)
    assert answer.source in ("subscription", "trial") or not paid
    assert not paid or answer.plan != "free"


# --- snapshots ---
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


def test_plan_for_asks_the_database_once(account, django_assert_num_queries):
    record(account, Decision("premium", "subscription", "active"))
    with django_assert_num_queries(1):
        entitlements.plan_for(account, now=NOW)


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


def test_the_state_of_who_bought_nothing(account):
    state = entitlements.state_for(account, now=NOW)
    assert state == {
        "plan": {"key": "free", "name": "Free"},
        "source": "default",
        "status": "no_subscription",
        "renews_at": None,
        "ends_at": None,
        "card": None,
        "is_confirming": False,
        "limits": [
            {"meter": "messages", "models": ("chat-small",), "amount": 20, "window_s": 10_800},
            {"meter": "messages", "models": ("chat-small",), "amount": 80, "window_s": 604_800},
        ],
    }
