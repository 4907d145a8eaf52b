"""What should have moved on and has not: events, wishes to Stripe, late deliveries."""

from datetime import timedelta

import pytest

from apps.billing import stalls
from apps.billing.differences import Difference
from apps.billing.models import DriftItem, StripeEvent, StripeOutbox
from tests import build, cast
from tests.build import NOW

pytestmark = pytest.mark.django_db
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)


def event(number, *, account=None, received_at=NOW, **fields):
    facts = {"type": "invoice.paid", "livemode": False, "created": received_at, **fields}
    return StripeEvent.objects.create(id=f"evt_{number}", account=account, received_at=received_at, **facts)


def handled(number, lag, *, at=NOW):
    return event(number, received_at=at, created=at - lag, handled_at=at, state="handled")


def wanted(account, *, first_tried_at, **fields):
    facts = {"kind": "cancel_subscription", "key": "cancel:sub_1", "next_at": NOW, **fields}
    return StripeOutbox.objects.create(account=account, first_tried_at=first_tried_at, **facts)


def find():
    return list(stalls.find(now=NOW))


def still_open():
    return list(DriftItem.objects.filter(fixed_at=None).values_list("kind", flat=True))


def test_nothing_stands_still_where_nothing_happened():
    assert find() == []


# --- events ---
@pytest.mark.parametrize(("age", "is_found"), [(HOUR, False), (HOUR + SECOND, True)])
def test_an_event_that_nobody_handled_within_the_hour_is_found(account, age, is_found):
    event(1, account=account, received_at=NOW - age)
    expected = (account, Difference("unprocessed_events", "", ours="since 2026-03-02 07:59"))
    assert find() == ([expected] if is_found else [])


def test_of_an_account_the_oldest_of_its_events_is_told_once(account):
    other = build.account(owner=cast.ben())
    event(1, account=account, received_at=NOW - 2 * HOUR)
    event(2, account=account, received_at=NOW - 3 * HOUR)
    event(3, account=other, received_at=NOW - 4 * HOUR)
    told = {(whose.pk, one.ours) for whose, one in find()}
    assert told == {(account.pk, "since 2026-03-02 06:00"), (other.pk, "since 2026-03-02 05:00")}


@pytest.mark.parametrize("state", ["handled", "ignored"])
def test_an_event_that_was_dealt_with_or_is_nobodys_does_not_wait(account, state):
    event(1, account=account, received_at=NOW - 2 * HOUR, state=state)
    event(2, received_at=NOW - 2 * HOUR)
    assert find() == []


# --- wishes to Stripe ---
@pytest.mark.parametrize(("age", "is_found"), [(HOUR, False), (HOUR + SECOND, True)])
def test_a_wish_that_stripe_did_not_fulfil_within_the_hour_is_found(account, age, is_found):
    row = wanted(account, first_tried_at=NOW - age, attempts=6, error="PaymentsAway")
    said = Difference("unsent_outbox", str(row.pk), ours="cancel_subscription", stripe="6 tries, PaymentsAway")
    assert find() == ([(account, said)] if is_found else [])


@pytest.mark.parametrize("state", ["done", "dead"])
def test_a_wish_that_is_done_or_given_up_does_not_wait(account, state):
    wanted(account, first_tried_at=NOW - 2 * HOUR, state=state)
    assert find() == []


def test_a_wish_for_later_does_not_wait(account):
    wanted(account, first_tried_at=None, next_at=NOW - 2 * HOUR)
    assert find() == []


# --- deliveries ---
@pytest.mark.parametrize(("late", "lag_s"), [(2, 2), (3, 600)])
def test_the_lag_is_that_within_which_95_of_100_were_handled(late, lag_s):
    for number in range(40):
        handled(number, timedelta(seconds=600 if number < late else 2))
    assert stalls.webhook_lag(now=NOW) == timedelta(seconds=lag_s)


@pytest.mark.parametrize(("number", "is_known"), [(19, False), (20, True)])
def test_of_too_few_events_no_lag_is_told(number, is_known):
    for one in range(number):
        handled(one, HOUR)
    assert stalls.webhook_lag(now=NOW) == (HOUR if is_known else None)
    assert len(find()) == (1 if is_known else 0)


def test_events_of_the_day_before_and_such_as_wait_count_for_no_lag(account):
    for number in range(20):
        handled(number, HOUR, at=NOW - timedelta(days=1))
    for number in range(20, 40):
        event(number, account=account)
    assert stalls.webhook_lag(now=NOW) is None


def test_an_event_of_a_clock_that_runs_ahead_was_handled_at_once():
    for number in range(20):
        handled(number, -timedelta(days=40))
    assert stalls.webhook_lag(now=NOW) == timedelta(0)
    assert find() == []


@pytest.mark.parametrize(("lag_s", "is_found"), [(300, False), (301, True)])
def test_a_lag_of_more_than_five_minutes_is_found_and_wakes_nobody(lag_s, is_found):
    for number in range(20):
        handled(number, lag_s * SECOND)
    said = Difference("webhook_lag", "p95", ours="301 s", severity="low")
    assert find() == ([(None, said)] if is_found else [])


# --- kept, and closed ---
def test_what_stands_still_is_kept_once_and_closed_when_it_moves_on(account):
    event(1, account=account, received_at=NOW - 2 * HOUR)
    wanted(account, first_tried_at=NOW - 2 * HOUR)
    for number in range(2, 22):
        handled(number, HOUR)
    told = stalls.note(now=NOW)
    assert [whose for whose, _one in told] == [str(account.pk), str(account.pk), ""]
    stalls.note(now=NOW + SECOND)
    assert sorted(still_open()) == ["unprocessed_events", "unsent_outbox", "webhook_lag"]
    assert DriftItem.objects.get(kind="unsent_outbox").last_seen == NOW + SECOND
    StripeOutbox.objects.update(state="done")
    stalls.note(now=NOW + 2 * SECOND)
    assert sorted(still_open()) == ["unprocessed_events", "webhook_lag"]
    StripeEvent.objects.update(state="handled", handled_at=NOW, created=NOW)
    stalls.note(now=NOW + 3 * SECOND)
    assert still_open() == []


def test_differences_of_other_kinds_are_left_alone(account):
    DriftItem.objects.create(kind="status", account=account, severity="high", first_seen=NOW, last_seen=NOW)
    stalls.note(now=NOW)
    assert still_open() == ["status"]
