from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from apps.localdev.simulation import habits, population, scripts
from apps.localdev.simulation.parameters import Parameters, number_of

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
YEAR = Parameters(accounts=2000, months=12, seed=7, answers=6, until=NOW)


@pytest.fixture(scope="module")
def people():
    return population.people(YEAR)


@pytest.mark.parametrize(
    ("until", "months", "first"),
    [
        (datetime(2026, 3, 2, 9, tzinfo=UTC), 12, date(2025, 3, 2)),
        (datetime(2026, 3, 2, tzinfo=UTC), 3, date(2025, 12, 2)),
        (datetime(2026, 3, 31, tzinfo=UTC), 1, date(2026, 2, 28)),
    ],
)
def test_the_period_begins_so_many_months_before_its_end(until, months, first):
    assert replace(YEAR, until=until, months=months).first_day == first


def test_addresses_tell_seed_and_number_and_belong_to_nobody():
    assert YEAR.email_of(123) == "sim-7-000123@simulated.invalid"
    assert number_of("sim-7-000123@simulated.invalid") == 123
    with pytest.raises(ValueError, match="nobody simulated"):
        number_of("ana@example.org")


def test_parameters_are_read_back_as_they_were_written():
    assert Parameters.from_json(YEAR.as_json()) == YEAR


def test_the_same_seed_gives_the_same_people_and_another_seed_others(people):
    assert population.people(YEAR) == people
    assert population.people(replace(YEAR, seed=8)) != people


def test_people_join_in_the_order_of_their_days_and_before_the_end(people):
    days = [person.joined_on for person in people if person.joined_at < NOW - timedelta(days=2)]
    assert days == sorted(days)
    assert all(person.joined_at < NOW for person in people)
    assert days[0] >= date(2025, 3, 2)


def test_more_people_join_each_month_and_fewer_at_the_weekend(people):
    by_month = Counter(person.joined_at.strftime("%Y-%m") for person in people)
    assert by_month["2026-02"] > 1.8 * by_month["2025-04"]
    by_weekday = Counter(person.joined_on.weekday() for person in people)
    assert by_weekday[1] > 1.4 * by_weekday[5]


def test_places_languages_and_currencies_are_mixed(people):
    assert {person.home.language for person in people} == {"en", "fr"}
    assert 0.3 < sum(person.home.currency == "eur" for person in people) / len(people) < 0.5
    assert 0.15 < sum(person.interval == "year" for person in people) / len(people) < 0.25


def test_fewer_come_the_longer_ago_they_joined(people):
    ages = Counter(
        (YEAR.day(day) - person.joined_on).days for person in people[:1000] for day in habits.days_of(person, YEAR)
    )
    assert ages[0] == 1000
    assert sum(ages[age] for age in range(1, 8)) > 1.5 * sum(ages[age] for age in range(31, 38)) > 0


def test_the_mean_of_answers_is_near_what_was_asked_for(people):
    asked, months = 0, 0
    for person in people:
        days = habits.days_of(person, YEAR)
        months += len({YEAR.day(day).strftime("%Y-%m") for day in days})
        asked += sum(len(habits.questions_of(person, day, YEAR)) for day in days)
    assert 5 < asked / months < 8


def test_questions_of_a_day_lie_in_it_in_order_and_before_the_end(people):
    for person in people[:300]:
        before = person.joined_at
        for day in habits.days_of(person, YEAR):
            for question in habits.questions_of(person, day, YEAR):
                assert before < question.at < habits.end_of(person, day, YEAR) <= NOW
                assert question.at.astimezone(person.zone).date() == YEAR.day(day)
                before = question.at


def test_a_few_ask_more_than_the_free_plan_gives(people):
    heavy = {
        person.number
        for person in people
        for day in habits.days_of(person, YEAR)
        if len(habits.questions_of(person, day, YEAR)) > 20
    }
    assert 10 < len(heavy) < 100


def test_a_script_speaks_the_persons_language_and_keeps_to_the_longest_answer(people):
    question = habits.Question(NOW - timedelta(days=1))
    for person in people[:50]:
        script = scripts.script_of(person, question, 60, YEAR)
        assert script.question in scripts.QUESTIONS[person.home.language]
        assert script.output_tokens <= 60
        assert bool(script.answer) == (script.outcome is not scripts.Outcome.UNAVAILABLE)
        assert scripts.script_of(person, question, 60, YEAR) == script
