from datetime import UTC, date, datetime, timedelta

import pytest

from apps.billing.models import InvoiceMirror, PlanChange
from apps.reporting import fill
from apps.reporting.days import Period
from apps.reporting.facts import Facts
from apps.reporting.metrics.families import FAMILIES
from apps.reporting.models import CohortMonth, FillState, MetricDay, MrrMovement
from apps.reporting.scope import Scope
from apps.reporting.sheets.leaving import EndingPanel, ReasonsPanel, TrialsPanel
from apps.reporting.sheets.retention_tables import CohortMrrPanel, CohortPanel, ConversionPanel, MonthsPanel
from tests import build
from tests.reporting import history

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 6, 20, 12, 0, tzinfo=UTC)
TODAY = date(2026, 6, 20)
DOLLAR = 1_000_000
NONE = Facts({})


def scope(first=date(2026, 6, 1), now=NOW, last=TODAY):
    return Scope(Period(first, last), now, "usd")


def somebody(number, *, joined, paid=None, left=None, mrr=8 * DOLLAR):
    account = history.account(owner=build.person(email=f"p{number}@example.org"), at=joined)
    if paid:
        subscription = build.stripe_subscription(account=account, at=paid, mrr_micro=mrr)
        if left:
            build.subscription_state(
                subscription=subscription, mrr_micro=0, at=left, cause="voluntary", status="canceled"
            )
    return account


def at(month, day):
    return datetime(2026, month, day, 10, 0, tzinfo=UTC)


@pytest.fixture
def people():
    """April: four sign up; two pay in April, of whom one leaves in June; one pays in June; one never. May: one free."""
    somebody(1, joined=at(4, 2), paid=at(4, 3))
    somebody(2, joined=at(4, 10), paid=at(4, 20), left=at(6, 5))
    somebody(3, joined=at(4, 12), paid=at(6, 1), mrr=40 * DOLLAR)
    somebody(4, joined=at(4, 30))
    somebody(5, joined=at(5, 9))
    history.filled("revenue", "movements", "cohorts", now=NOW)


def test_a_cohort_says_who_still_pays_at_the_end_of_each_month(people):
    rows = CohortMonth.objects.filter(signup_month=date(2026, 4, 1), currency="").order_by("k")
    assert [(row.k, row.accounts, row.ever_paid, row.paying) for row in rows] == [
        (0, 4, 2, 2),
        (1, 4, 2, 2),
        (2, 4, 3, 2),
    ]
    mrr = CohortMonth.objects.filter(signup_month=date(2026, 4, 1), currency="usd").order_by("k")
    assert [row.mrr_micro // DOLLAR for row in mrr] == [16, 16, 48]


def test_the_triangle_shows_shares_of_those_who_ever_paid(people):
    table = CohortPanel().read(scope(), NONE)
    april = next(line for line in table.lines if line.cells[0] == "2026-04")
    assert april.cells[:7] == ("2026-04", 4, 3, 666_667, 666_667, 666_667, None)
    assert april.titles["month_0"] == "2 / 3"
    assert "not over" in str(table.note)
    money = CohortMrrPanel().read(scope(), NONE)
    assert [line.cells[1:4] for line in money.lines if line.cells[0] == "2026-04"] == [
        (16 * DOLLAR, 16 * DOLLAR, 48 * DOLLAR)
    ]


def test_a_first_purchase_given_back_within_the_hour_is_none(people):
    joined = at(5, 9)
    somebody(6, joined=joined, paid=joined, left=joined + timedelta(minutes=20))
    history.filled("revenue", "movements", "cohorts", now=NOW + timedelta(hours=2))
    rows = CohortMonth.objects.filter(signup_month=date(2026, 5, 1), currency="")
    assert [(row.accounts, row.ever_paid) for row in rows.order_by("k")] == [
        (1, 0),
        (2, 0),
    ]  # made after May was filled


def test_movements_that_are_filled_later_are_counted(people):
    late = somebody(7, joined=at(4, 1))
    MrrMovement.objects.create(
        at=at(4, 3), account=late, type="new", cause="checkout", currency="usd", delta_micro=1, after_micro=1,
        subscription_id="sub_late",
    )  # fmt: skip
    later = NOW + timedelta(hours=2)
    FillState.objects.filter(family="movements", day=date(2026, 4, 3)).update(filled_at=later)
    history.filled("cohorts", now=later + timedelta(minutes=5))
    rows = CohortMonth.objects.filter(signup_month=date(2026, 4, 1), currency="").order_by("k")
    assert [row.ever_paid for row in rows] == [3, 3, 4]


def test_conversion_counts_who_paid_within_thirty_days(people):
    lines = {line.cells[0]: line.cells[1:] for line in ConversionPanel().read(scope(), NONE).lines}
    assert lines == {"2026-04": (4, 2, 500_000), "2026-05": (1, 0, 0)}


def test_months_show_their_rates_and_pale_ones_where_few_pay(people):
    table = MonthsPanel().read(scope(), NONE)
    names = [column.name for column in table.columns]
    june = dict(zip(names, table.lines[0].cells, strict=True))
    assert (june["month"], june["at_start"], june["new_customers"], june["churned_customers"]) == ("2026-06", 2, 1, 1)
    assert [june[name] for name in ("customer_churn", "gross_mrr_churn_usd", "grr_usd", "nrr_usd")] == [500_000] * 4
    assert june["quick_ratio_usd"] == 5_000_000
    assert june["ltv"] is None
    assert {"customer_churn", "nrr_usd"} <= table.lines[0].faint


def test_filling_an_earlier_day_of_a_month_does_not_undo_a_later_one(people):
    fill.fill_day(FAMILIES["cohorts"], date(2026, 6, 2), now=NOW)
    assert CohortMonth.objects.get(signup_month=date(2026, 4, 1), currency="", k=2).ever_paid == 3


def test_the_open_month_is_filled_once_an_hour_and_not_each_minute(people):
    assert fill.mark_dirty(FAMILIES["cohorts"], now=NOW + timedelta(minutes=59)) == []
    assert fill.mark_dirty(FAMILIES["cohorts"], now=NOW + timedelta(minutes=61)) == [TODAY]
    assert not MetricDay.objects.filter(metric="cohorts").exists()


def test_c30_what_is_going_to_end_is_shown_until_somebody_changes_their_mind():
    account = somebody(1, joined=at(4, 2), paid=at(4, 3))
    subscription = account.subscriptions.get()
    assert EndingPanel().read(scope(), NONE).lines == []
    subscription.cancel_at_period_end, subscription.current_period_end = True, at(7, 3)
    subscription.save(update_fields=["cancel_at_period_end", "current_period_end"])
    assert [line.cells for line in EndingPanel().read(scope(), NONE).lines] == [("2026-07", 1, "usd", 8 * DOLLAR)]


def test_reasons_are_counted_as_they_were_given():
    account = somebody(1, joined=at(4, 2), paid=at(4, 3))
    for feedback, state, when in (
        ("too_expensive", "done", at(6, 2)), ("too_expensive", "done", at(6, 3)), ("", "done", at(6, 4)),
        ("unused", "refused", at(6, 5)), ("unused", "done", at(5, 5)),
    ):  # fmt: skip
        PlanChange.objects.create(
            account=account, subscription=account.subscriptions.get(), kind="cancel", state=state, feedback=feedback,
            created_at=when, agreed_at=when,
        )  # fmt: skip
    assert [line.cells for line in ReasonsPanel().read(scope(), NONE).lines] == [
        ("too expensive", 2),
        ("said nothing", 1),
    ]


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        pytest.param(at(3, 20), ("2026-03", 8, 6, 3, 500_000), id="C15"),
        pytest.param(at(4, 30), ("2026-03", 8, 8, 3, 375_000), id="C15 when all are over"),
    ],
)
def test_trials_that_run_are_not_in_the_denominator(now, expected):
    for number in range(8):
        account = history.account(owner=build.person(email=f"t{number}@example.org"), at=at(3, 1))
        ends = at(3, 15) if number < 6 else at(4, 2)
        trial = build.stripe_subscription(account=account, at=at(3, 1), mrr_micro=0, status="trialing")
        trial.trial_end = ends
        trial.save(update_fields=["trial_end"])
        paid = {"account": account, "stripe_subscription_id": trial.pk}
        history.invoice(start=at(3, 1), total_minor=0, paid_at=at(3, 1), **paid)
        if number < 3:
            history.invoice(start=ends, total_minor=8_00, paid_at=ends + timedelta(days=7 * (number % 2)), **paid)
    InvoiceMirror.objects.filter(status="open").delete()
    table = TrialsPanel().read(scope(date(2026, 3, 1), now, now.date()), NONE)
    assert [line.cells for line in table.lines] == [expected]
