from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from apps.billing import emails
from apps.billing.meters import Meter
from apps.billing.models import StripeOutbox
from apps.usage import ledger
from apps.usage.limits import Demand
from apps.usage.models import UsageAlert
from tests import build
from tests.usage.test_caps import call
from tests.usage.test_ledger import used
from tests.usage.test_ledger_races import at_once

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TEN = build.plan(limits=[build.limit(amount=10)])
db = pytest.mark.django_db


def answer(account, number, *, plan=TEN, now=NOW):
    demand = Demand(plan, "chat-small", {Meter.MESSAGES: 1})
    build.act(ledger.reserve, account, UUID(int=number), demand, timeout_s=60, now=now)
    settled = build.act(ledger.settle, UUID(int=number), used(), now=now)
    return [alert.percent for alert in settled.alerts]


@db
def test_each_mark_is_raised_by_the_answer_that_reaches_it():
    account = build.account()
    assert [answer(account, number) for number in range(1, 11)] == [[]] * 7 + [[80], [], [100]]
    alert = UsageAlert.objects.get(percent=80)
    assert (alert.run_id, alert.used, alert.limit_value, alert.raised_at) == (UUID(int=8), 8, 10, NOW)
    assert not StripeOutbox.objects.exists()  # messages are no money: the page says it, no letter


@db
def test_who_jumps_over_both_marks_is_told_the_higher_one():
    account = build.account()
    assert answer(account, 1, plan=build.plan(limits=[build.limit(amount=1)])) == [100]
    assert UsageAlert.objects.count() == 1


@db
def test_settling_again_raises_nothing_again():
    account = build.account()
    for number in range(1, 9):
        answer(account, number)
    assert build.act(ledger.settle, UUID(int=8), used(), now=NOW).alerts == ()
    assert UsageAlert.objects.count() == 1


@db
def test_between_the_marks_nobody_looks_for_warnings():
    account = build.account()
    for number in range(1, 9):
        answer(account, number)
    with CaptureQueriesContext(connection) as captured:
        assert answer(account, 9) == []
    assert not [query["sql"] for query in captured if "usage_usagealert" in query["sql"]]


@db
def test_the_next_window_warns_anew():
    account = build.account()
    for number in range(1, 9):
        answer(account, number)
    later = NOW + timedelta(hours=3)
    assert [answer(account, number, now=later) for number in range(11, 19)] == [[]] * 7 + [[80]]
    assert UsageAlert.objects.count() == 2


@db
def test_a_larger_plan_does_not_repeat_a_mark_of_the_same_window():
    account = build.account()
    for number in range(1, 9):
        answer(account, number)
    larger = build.plan(key="premium", limits=[build.limit(amount=12)])  # 80 % is 9.6 now: passed by the tenth
    assert [answer(account, number, plan=larger) for number in range(9, 13)] == [[], [], [], [100]]
    assert sorted(UsageAlert.objects.values_list("percent", flat=True)) == [80, 100]


@db
def test_no_limit_and_slots_never_warn():
    account = build.account()
    endless = build.plan(limits=[build.limit(amount=None)], concurrency=1)
    assert [answer(account, number, plan=endless) for number in range(1, 4)] == [[], [], []]


@db
def test_a_spending_cap_writes_one_letter_for_each_mark():
    account = build.account()
    build.credit(account=account, amount_micro=10_000_000)
    build.cap(account=account, amount_micro=1_000_000)
    for number, price_micro in enumerate((700_000, 150_000, 150_000), 1):
        call(account, number, most_micro=150_000 if number > 1 else 700_000, price_micro=price_micro)
    letters = StripeOutbox.objects.order_by("key").values_list("payload", flat=True)
    assert [(letter["percent"], letter["scope"]) for letter in letters] == [("100", "account"), ("80", "account")]
    assert letters[1]["used_micro"] == "850000"
    letter = emails.compose(emails.SPENDING_ALERT, letters[1], account.owner)
    assert letter.subject == "80 % of your spending cap is used"
    assert "have used 0.85 USD of the 1.00 USD that you let be spent in a month" in letter.text
    reached = emails.compose(emails.SPENDING_ALERT, letters[0], account.owner)
    assert reached.subject == "Your spending cap for this month is reached"
    assert "Further calls are refused until 1 April 2026." in reached.text


@pytest.mark.django_db(transaction=True)
def test_many_that_settle_at_once_pass_a_mark_once():
    account = build.account()
    for number in range(1, 11):
        demand = Demand(TEN, "chat-small", {Meter.MESSAGES: 1})
        build.act(ledger.reserve, account, UUID(int=number), demand, timeout_s=60, now=NOW)

    def settle(number):
        with transaction.atomic():
            return ledger.settle(UUID(int=number + 1), used(), now=NOW).alerts

    raised = [alert.percent for alerts in at_once(10, settle) for alert in alerts]
    assert sorted(raised) == [80, 100]
    assert UsageAlert.objects.count() == 2


@db
def test_who_wants_it_gets_one_letter_a_day_when_messages_are_used_up():
    account = build.account()
    type(account.owner).objects.update(wants_limit_mail=True)
    account.refresh_from_db()
    for number in range(1, 11):
        answer(account, number)
    later = NOW + timedelta(hours=4)
    for number in range(11, 21):
        answer(account, number, now=later)
    (letter,) = StripeOutbox.objects.all()
    assert (letter.kind, letter.payload["letter"], letter.payload["count"]) == ("mail", emails.LIMIT_REACHED, "10")
    tomorrow = NOW + timedelta(days=1)
    for number in range(21, 31):
        answer(account, number, now=tomorrow)
    assert StripeOutbox.objects.count() == 2
