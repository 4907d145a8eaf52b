from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.db import transaction
from django.utils import timezone

from apps.billing import model_prices
from apps.billing.meters import Meter
from apps.core.errors import LimitReached, PaymentNeeded
from apps.usage import ledger, sweep
from apps.usage.ledger import Used
from apps.usage.limits import Demand
from apps.usage.models import UsageBucket, UsageLedger, UsageReservation
from tests import build

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
RUN, OTHER_RUN = UUID(int=1), UUID(int=2)
FREE = build.plan(limits=[build.limit(amount=2)])
BOTH = build.plan(limits=[build.limit(amount=2), build.limit(amount=3, window="7d")])
TOKENS = build.plan(limits=[build.limit(meter=Meter.TOKENS, models=(), amount=1000, window="1d")])


def reserve(account, run_id=RUN, *, plan=FREE, model="chat-small", ceilings=None, now=NOW):
    demand = Demand(plan, model, {Meter.MESSAGES: 1} if ceilings is None else ceilings)
    return build.act(ledger.reserve, account, run_id, demand, timeout_s=120, now=now)


def used(**changes):
    facts = {
        "channel": "chat",
        "plan_key": "free",
        "model": "chat-small",
        "backend": "local",
        "messages": 1,
        "input_tokens": 100,
        "output_tokens": 200,
        "price_micro": 0,
        "cost_micro": 14,
        "currency": "usd",
        "cost_currency": "usd",
        "provenance": "reported",
        "occurred_at": NOW,
    }
    return Used(**{**facts, **changes})


def settle(run_id=RUN, *, now=NOW, **changes):
    """The ledger row that settling leaves."""
    return build.act(ledger.settle, run_id, used(**changes), now=now).row


def bucket(account, key="messages:chat-small:3h"):
    return UsageBucket.objects.get(account=account, limit_key=key, is_open=True)


def standing(account, key="messages:chat-small:3h"):
    row = bucket(account, key)
    return row.reserved, row.settled


def states(run_id=RUN):
    return set(UsageReservation.objects.of_run(run_id).values_list("state", flat=True))


def test_a_window_opens_at_first_use():
    account = build.account()
    reserve(account)
    first, second = UsageReservation.objects.order_by("id")
    assert {first.bucket.limit_key, second.bucket.limit_key} == {"concurrency:*:", "messages:chat-small:3h"}
    row = bucket(account)
    assert (row.window_start, row.window_end) == (NOW, NOW + timedelta(hours=3))
    assert (row.limit_value, row.reserved, row.settled) == (2, 1, 0)
    assert second.expires_at == NOW + timedelta(seconds=180)


def test_refuses_at_the_limit_and_leaves_nothing_behind():
    account = build.account()
    reserve(account)
    reserve(account, OTHER_RUN, now=NOW + timedelta(minutes=5))
    with pytest.raises(LimitReached) as refused:
        reserve(account, UUID(int=3), now=NOW + timedelta(minutes=6))
    assert refused.value.code == "limit_reached"
    assert refused.value.details() == {
        "limit": 2,
        "used": 2,
        "resets_at": "2026-03-02T12:00:00Z",
        "lifted_by": "premium",
        "meter": "messages",
    }
    assert str(refused.value.sentence) == (
        "You have used the 2 messages your plan gives for now. You can go on from 2 March, 12:00 UTC. "
        "The Premium plan gives you more right away."
    )
    assert refused.value.retry_after_s(now=NOW + timedelta(minutes=6)) == 174 * 60 + 1
    assert standing(account) == (2, 0)
    assert standing(account, "concurrency:*:") == (2, 0)
    assert states(UUID(int=3)) == set()


def test_a_second_limit_that_refuses_undoes_the_first():
    account = build.account()
    for number in (1, 2):
        reserve(account, UUID(int=number), plan=BOTH)
        settle(UUID(int=number))
    later = NOW + timedelta(hours=4)
    reserve(account, UUID(int=3), plan=BOTH, now=later)
    with pytest.raises(LimitReached) as refused:
        reserve(account, UUID(int=4), plan=BOTH, now=later)
    assert refused.value.refusal.resets_at == NOW + timedelta(days=7)
    assert standing(account) == (1, 0)
    assert standing(account, "messages:chat-small:7d") == (1, 2)
    assert standing(account, "concurrency:*:") == (1, 0)


def test_the_same_run_again_holds_the_same_and_its_time_begins_anew():
    account = build.account()
    reserve(account)
    first = set(UsageReservation.objects.values_list("pk", flat=True))
    reserve(account, now=NOW + timedelta(seconds=60))
    assert set(UsageReservation.objects.values_list("pk", flat=True)) == first
    assert standing(account) == (1, 0)
    assert {row.expires_at for row in UsageReservation.objects.all()} == {NOW + timedelta(seconds=240)}


def test_a_limit_of_nothing_is_not_included_and_names_the_plan_that_has_it():
    account = build.account()
    plan = build.plan(models=("chat-small", "chat-large"), limits=[build.limit(models=("chat-large",), amount=0)])
    with pytest.raises(PaymentNeeded) as refused:
        reserve(account, plan=plan, model="chat-large")
    assert (refused.value.code, refused.value.refusal.lifted_by) == ("not_included", "premium")
    assert str(refused.value.sentence) == "Your plan does not include this. The Premium plan gives you more right away."
    assert not UsageBucket.objects.exists()


def test_a_model_outside_the_plan_is_not_included():
    with pytest.raises(PaymentNeeded) as refused:
        reserve(build.account(), model="chat-large")
    assert (refused.value.code, refused.value.refusal.lifted_by) == ("not_included", "premium")
    assert not UsageReservation.objects.exists()


def test_more_than_a_whole_window_needs_a_plan_and_not_patience():
    with pytest.raises(PaymentNeeded) as refused:
        reserve(build.account(), plan=TOKENS, ceilings={Meter.TOKENS: 1001})
    assert refused.value.code == "not_included"
    assert str(refused.value.sentence).startswith("This needs more than the 1,000 tokens your plan gives.")
    assert not UsageBucket.objects.exists()


def test_no_limit_counts_and_never_refuses():
    account = build.account()
    plan = build.plan(limits=[build.limit(amount=None)])
    for number in range(1, 6):
        reserve(account, UUID(int=number), plan=plan)
    assert standing(account) == (5, 0)
    assert bucket(account).limit_value is None


def test_slots_are_taken_and_given_back():
    account = build.account()
    plan = build.plan(limits=[build.limit(amount=20)], concurrency=1)
    reserve(account, plan=plan)
    with pytest.raises(LimitReached) as refused:
        reserve(account, OTHER_RUN, plan=plan)
    assert refused.value.code == "too_many_at_once"
    assert refused.value.refusal.resets_at is None
    assert refused.value.retry_after_s(now=NOW) == 5
    assert standing(account) == (1, 0)
    settle()
    reserve(account, OTHER_RUN, plan=plan)
    assert standing(account, "concurrency:*:") == (1, 0)


def test_settling_books_what_was_used_not_what_was_set_aside():
    account = build.account()
    reserve(account, plan=TOKENS, ceilings={Meter.TOKENS: 900})
    row = settle(input_tokens=100, output_tokens=300, now=NOW + timedelta(seconds=9))
    assert standing(account, "tokens:*:1d") == (0, 400)
    assert states() == {"settled"}
    assert (row.kind, row.input_tokens, row.output_tokens, row.cost_micro) == ("settle", 100, 300, 14)
    assert (row.occurred_at, row.recorded_at) == (NOW, NOW + timedelta(seconds=9))
    assert (row.credit_micro, row.account_id) == (0, account.pk)


def test_a_row_holds_every_kind_of_token_both_currencies_and_the_rates_that_were_used():
    account = build.account()
    reserve(account)
    stated = {"currency": "usd", "cost": {"input": 1, "output": 2}, "price": {"eur": {"input": 3, "output": 4}}}
    price = build.act(model_prices.publish, "chat-small", stated, now=NOW)
    kinds = {"cached_input_tokens": 60, "cache_write_tokens": 20, "image_input_tokens": 10, "reasoning_tokens": 150}
    facts = used(currency="eur", cost_currency="usd", model_price_id=price.pk, **kinds)
    row = build.act(ledger.settle, RUN, facts, now=NOW).row
    assert {name: getattr(row, name) for name in kinds} == kinds
    assert (row.currency, row.cost_currency, row.model_price) == ("eur", "usd", price)


def test_a_stopped_answer_pays_what_came_and_not_the_estimate():
    account = build.account()
    reserve(account, plan=TOKENS, ceilings={Meter.TOKENS: 900})
    settle(input_tokens=0, output_tokens=300, provenance="estimated")
    assert standing(account, "tokens:*:1d") == (0, 300)


def test_f38_settling_twice_gives_the_first_row():
    account = build.account()
    reserve(account)
    first = settle()
    second = settle(output_tokens=999, now=NOW + timedelta(minutes=1))
    assert second == first
    assert second.output_tokens == 200
    assert standing(account) == (0, 1)
    assert UsageLedger.objects.count() == 1


def test_settling_after_release_books_once_and_gives_nothing_back_again():
    account = build.account()
    reserve(account)
    reserve(account, OTHER_RUN)
    build.act(ledger.release, RUN, now=NOW)
    first = settle()
    assert settle() == first
    assert standing(account) == (1, 1)
    assert UsageLedger.objects.count() == 1


def test_settling_after_expiry_books_and_does_not_touch_what_others_reserved():
    account = build.account()
    reserve(account)
    late = NOW + timedelta(seconds=181)
    reserve(account, OTHER_RUN, now=late)
    assert sweep.expire_reservations(now=late) == 2
    assert standing(account) == (1, 0)
    settle(now=late)
    assert standing(account) == (1, 1)
    assert standing(account, "concurrency:*:") == (1, 0)


def test_f39_a_window_that_ends_meanwhile_is_charged_and_the_next_starts_clean():
    account = build.account()
    reserve(account)
    after = NOW + timedelta(hours=3)
    reserve(account, OTHER_RUN, now=after)
    settle(now=after)
    old, new = UsageBucket.objects.filter(limit_key="messages:chat-small:3h").order_by("window_start")
    assert (old.is_open, old.reserved, old.settled) == (False, 0, 1)
    assert (new.is_open, new.reserved, new.settled, new.window_start) == (True, 1, 0, after)


def test_release_gives_back_and_the_run_may_ask_again():
    account = build.account()
    reserve(account)
    build.act(ledger.release, RUN, now=NOW)
    build.act(ledger.release, RUN, now=NOW)
    assert standing(account) == (0, 0)
    assert states() == {"released"}
    assert not UsageLedger.objects.exists()
    reserve(account)
    assert standing(account) == (1, 0)
    assert states() == {"open"}


def test_upgrading_raises_the_open_window_and_keeps_what_was_used():
    account = build.account()
    for number in (1, 2):
        reserve(account, UUID(int=number))
    reserve(account, UUID(int=3), plan=build.plan(key="premium", limits=[build.limit(amount=300)]))
    row = bucket(account)
    assert (row.limit_value, row.reserved, row.window_start) == (300, 3, NOW)


def test_a_smaller_plan_in_the_middle_of_a_window_counts_what_was_used_under_the_larger_one():
    account = build.account()
    larger = build.plan(key="premium", limits=[build.limit(amount=300)])
    for number in range(1, 6):
        reserve(account, UUID(int=number), plan=larger)
        settle(UUID(int=number))
    with pytest.raises(LimitReached) as refused:
        reserve(account, UUID(int=6), now=NOW + timedelta(hours=1))
    assert (refused.value.refusal.limit, refused.value.refusal.used) == (2, 5)
    assert refused.value.refusal.resets_at == NOW + timedelta(hours=3)
    assert standing(account) == (0, 5)
    reserve(account, UUID(int=7), now=NOW + timedelta(hours=3))
    assert standing(account) == (1, 0)


@pytest.mark.parametrize(
    ("opened", "ends", "said"),
    [
        # Paris, 29 March 2026: 02:00 becomes 03:00.  25 October: 03:00 becomes 02:00.
        (datetime(2026, 3, 29, 0, 30, tzinfo=UTC), datetime(2026, 3, 29, 3, 30, tzinfo=UTC), "29 March, 05:30 CEST"),
        (
            datetime(2026, 10, 24, 23, 30, tzinfo=UTC),
            datetime(2026, 10, 25, 2, 30, tzinfo=UTC),
            "25 October, 03:30 CET",
        ),
    ],
    ids=["forward", "back"],
)
def test_a_window_lasts_as_long_on_a_day_when_the_clocks_change(opened, ends, said):
    account = build.account()
    for number in (1, 2):
        reserve(account, UUID(int=number), now=opened)
    with pytest.raises(LimitReached) as refused:
        reserve(account, UUID(int=3), now=ends - timedelta(seconds=1))
    assert refused.value.refusal.resets_at == ends
    with timezone.override("Europe/Paris"):
        assert f"You can go on from {said}." in str(refused.value.sentence)
    reserve(account, UUID(int=3), now=ends)


def test_a_spent_limit_names_the_model_it_falls_back_to():
    account = build.account()
    limit = build.limit(models=("chat-large",), amount=1, fallback_model="chat-small")
    plan = build.plan(models=("chat-small", "chat-large"), limits=[limit, build.limit(amount=5)])
    reserve(account, plan=plan, model="chat-large")
    with pytest.raises(LimitReached) as refused:
        reserve(account, OTHER_RUN, plan=plan, model="chat-large")
    assert ledger.fallback_model(refused.value) == "chat-small"
    reserve(account, OTHER_RUN, plan=plan, model="chat-small")
    assert standing(account, "messages:chat-large:3h") == (1, 0)
    assert standing(account, "messages:chat-small:3h") == (1, 0)


def test_settling_what_never_reserved_is_a_mistake_that_is_said():
    with pytest.raises(UsageReservation.DoesNotExist):
        settle()
    assert not UsageLedger.objects.exists()


def test_an_act_may_go_on_after_a_refusal():
    account = build.account()
    with transaction.atomic():
        with pytest.raises(PaymentNeeded):
            reserve(account, model="chat-large")
        account.hold_reason = "noted"
        account.save(update_fields=["hold_reason"])
    account.refresh_from_db()
    assert account.hold_reason == "noted"


def test_a_first_use_opens_all_its_windows_in_few_statements(account, django_assert_num_queries):
    with django_assert_num_queries(8):  # three of them the act's own
        reserve(account, plan=BOTH)
    assert [standing(account, f"messages:chat-small:{window}") for window in ("3h", "7d")] == [(1, 0), (1, 0)]


def test_what_is_refused_opens_no_window_beside_the_one_that_is_spent(account):
    build.spent_messages(account=account, used=2)
    with pytest.raises(LimitReached):
        reserve(account, plan=build.plan(limits=[build.limit(amount=2), build.limit(amount=3, window="7d")]))
    open_now = UsageBucket.objects.filter(account=account, is_open=True).values_list("limit_key", "reserved", "settled")
    assert list(open_now) == [("messages:chat-small:3h", 0, 2)]
