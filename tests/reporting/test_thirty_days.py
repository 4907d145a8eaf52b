"""Whom the service earned with and for whom it paid over the thirty days up to each day."""

from datetime import UTC, date, datetime, timedelta

import pytest

from apps.reporting.days import Period
from apps.reporting.facts import Facts
from apps.reporting.models import FillState, LossMaker, MarginBand
from apps.reporting.scope import Scope
from apps.reporting.sheets.account_tables import LossMakersPanel, SpreadPanel
from tests import build, cast
from tests.reporting import history

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 4, 10, 12, 0, tzinfo=UTC)
DOLLAR = 1_000_000


def at(month, day, hour=10):
    return datetime(2026, month, day, hour, 0, tzinfo=UTC)


@pytest.fixture
def people():
    """Ben pays 31.00 for March and costs 9.00; ana is free, and costs 4.00 on 3 March and 5.00 on 3 April."""
    ben, ana = history.account(owner=cast.ben(), at=at(3, 1)), history.account(owner=cast.ana(), at=at(3, 1))
    subscription = build.stripe_subscription(account=ben, at=at(3, 1, 0))
    history.invoice(account=ben, start=at(3, 1, 0), total_minor=31_00, stripe_subscription_id=subscription.pk)
    build.answer(account=ben, at=at(3, 2), plan_key="premium", cost_micro=9 * DOLLAR)
    build.answer(account=ana, at=at(3, 3), cost_micro=4 * DOLLAR)
    build.answer(account=ana, at=at(4, 3), cost_micro=5 * DOLLAR)
    return ben, ana


def loss_of(account, day):
    return sum(LossMaker.objects.filter(day=day, account=account).values_list("margin_micro", flat=True))


def spread(day):
    return {row.band: (row.accounts, row.margin_micro) for row in MarginBand.objects.filter(day=day)}


def test_the_window_is_thirty_days_long_and_moves_with_the_day(people):
    _ben, ana = people
    history.filled("thirty_days", now=NOW)
    assert loss_of(ana, date(2026, 4, 1)) == -4 * DOLLAR  # 3 March is its first day but one
    assert loss_of(ana, date(2026, 4, 3)) == -5 * DOLLAR  # 3 March has left it
    assert loss_of(ana, date(2026, 3, 2)) == 0


def test_every_account_is_in_one_band(people):
    history.filled("thirty_days", now=NOW)
    assert spread(date(2026, 3, 31)) == {1: (1, -4 * DOLLAR), 6: (1, (30 - 9) * DOLLAR)}  # from the 2nd: 30 of 31 days


def test_an_edge_belongs_to_the_band_above_it():
    for number, dollars in enumerate((10, 1, 0), start=1):
        account = history.account(owner=build.person(email=f"p{number}@example.org"), at=at(3, 1))
        build.answer(account=account, at=at(3, 2), cost_micro=dollars * DOLLAR)
    history.filled("thirty_days", now=NOW)
    assert {band: count for band, (count, _) in spread(date(2026, 3, 2)).items()} == {1: 1, 2: 1, 3: 1}


def test_no_more_than_ten_lose_most_and_the_worst_is_first():
    for number in range(12):
        account = history.account(owner=build.person(email=f"p{number}@example.org"), at=at(3, 1))
        build.answer(account=account, at=at(3, 2), cost_micro=(number + 1) * DOLLAR)
    history.filled("thirty_days", now=NOW)
    table = LossMakersPanel().read(Scope(Period(date(2026, 3, 1), date(2026, 3, 5)), NOW, "usd"), Facts({}))
    margins = [line.cells[-2] for line in table.lines]
    assert margins == [-dollars * DOLLAR for dollars in range(12, 2, -1)]


def test_who_pays_in_another_currency_and_who_costs_less_than_a_cent_is_no_loss_maker(people):
    ben, _ana = people
    eva, tiny = (history.account(owner=build.person(email=f"{name}@example.org"), at=at(3, 1)) for name in ("eva", "t"))
    subscription = build.stripe_subscription(account=eva, at=at(3, 1, 0), currency="eur")
    history.invoice(
        account=eva, start=at(3, 1, 0), total_minor=31_00, currency="eur", stripe_subscription_id=subscription.pk
    )
    build.answer(account=eva, at=at(3, 2), cost_micro=2 * DOLLAR)
    build.answer(account=tiny, at=at(3, 2), cost_micro=9_999)
    history.filled("thirty_days", now=NOW)
    assert [loss_of(one, date(2026, 3, 31)) for one in (ben, eva, tiny)] == [0, 0, 0]


def test_the_tables_show_the_last_day_of_the_page(people):
    _ben, ana = people
    history.filled("thirty_days", now=NOW)
    scope = Scope(Period(date(2026, 3, 1), date(2026, 3, 31)), NOW, "usd")
    [line] = LossMakersPanel().read(scope, Facts({})).lines
    assert (line.cells[0], line.cells[-2:]) == (ana.pk.hex[-8:], (-4 * DOLLAR, None))
    assert str(ana.pk) in line.opens["account"]
    counts = {line.cells[0]: line.cells[1:] for line in SpreadPanel().read(scope, Facts({})).lines}
    assert {name: cells for name, cells in counts.items() if cells[0]} == {
        "-10 – -1": (1, -4 * DOLLAR),
        "10 – 50": (1, 21 * DOLLAR),
    }


def test_a_row_that_comes_late_changes_the_thirty_days_of_all_days_that_hold_it(people):
    _ben, ana = people
    history.filled("thirty_days", now=NOW)
    build.answer(account=ana, at=at(3, 9), recorded_at=NOW + timedelta(hours=2), cost_micro=DOLLAR)
    history.filled("thirty_days", now=NOW + timedelta(hours=3))
    assert loss_of(ana, date(2026, 3, 8)) == -4 * DOLLAR
    assert loss_of(ana, date(2026, 3, 9)) == -5 * DOLLAR
    assert loss_of(ana, date(2026, 4, 7)) == -6 * DOLLAR
    assert loss_of(ana, date(2026, 4, 8)) == -5 * DOLLAR


def test_the_open_day_is_worked_out_once_an_hour_whatever_happens(people):
    _ben, ana = people
    history.filled("thirty_days", now=NOW)
    for minutes, expected in ((30, NOW), (61, NOW + timedelta(minutes=61))):
        later = NOW + timedelta(minutes=minutes)
        build.answer(account=ana, at=later, recorded_at=later, cost_micro=DOLLAR)
        history.filled("thirty_days", now=later)
        assert FillState.objects.get(family="thirty_days", day=NOW.date()).filled_at == expected


def test_staff_are_in_neither(people):
    dana = history.account(owner=cast.dana(), at=at(3, 1))
    build.answer(account=dana, at=at(3, 3), cost_micro=900 * DOLLAR)
    history.filled("thirty_days", now=NOW)
    assert not LossMaker.objects.filter(account=dana).exists()
    assert sum(count for count, _ in spread(date(2026, 3, 31)).values()) == 2
