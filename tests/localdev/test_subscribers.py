from dataclasses import replace
from datetime import UTC, datetime, timedelta

from apps.localdev.simulation import population, subscribers
from apps.localdev.simulation.parameters import Parameters
from apps.localdev.simulation.subscribers import Act, Subscription

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PARAMETERS = Parameters(accounts=1500, months=12, seed=7, answers=6, until=NOW)
PEOPLE = population.people(PARAMETERS)
ENDS = NOW + timedelta(days=31)
PAID = Subscription("premium", "month", NOW, ENDS, is_leaving=False, late_since=None, seen_at=NOW)


def moments_of(has):
    return [subscribers.next_moment(person, has, PARAMETERS) for person in PEOPLE]


def share(moments, act):
    return sum(moment.act is act for moment in moments) / len(moments)


def test_what_happens_next_is_always_later_than_the_last_look():
    late = replace(PAID, late_since=NOW - timedelta(days=3))
    unending = replace(PAID, late_since=NOW - timedelta(days=30))
    for has in (PAID, late, unending, replace(PAID, is_leaving=True), replace(PAID, seen_at=ENDS)):
        assert all(moment.at > has.seen_at for moment in moments_of(has))


def test_most_renew_and_of_each_period_some_leave_or_change_plans():
    moments = moments_of(PAID)
    assert 0.03 < share(moments, Act.LEAVE) < 0.07
    assert 0.01 < share(moments, Act.CHANGE) < 0.035
    assert 0.03 < share(moments, Act.RENEW_BADLY) < 0.08
    assert all(moment.at > ENDS for moment in moments if moment.act is Act.RENEW)
    assert all(moment.at < ENDS for moment in moments if moment.act in (Act.LEAVE, Act.CHANGE))


def test_who_asked_to_leave_ends_with_the_paid_time():
    assert set(moments_of(replace(PAID, is_leaving=True))) == {subscribers.Moment(ENDS + timedelta(minutes=5), Act.END)}


def test_most_of_those_whose_card_failed_mend_it_and_the_others_lapse():
    moments = moments_of(replace(PAID, late_since=NOW))
    assert 0.68 < share(moments, Act.MEND) < 0.77
    assert {moment.at for moment in moments if moment.act is Act.LAPSE} == {NOW + timedelta(days=14, hours=2)}


def test_a_limit_brings_more_people_to_buy_than_a_visit():
    def buyers(*, was_refused):
        wants = subscribers.wants_to_buy
        return sum(wants(person, 40, PARAMETERS, was_refused=was_refused) for person in PEOPLE)

    assert buyers(was_refused=True) > 10 * buyers(was_refused=False) > 0
