"""The command: what it takes, and where it refuses to run."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from apps.accounts.models import User
from apps.localdev.simulation.checkpoint import Checkpoint
from tests.localdev.simulated import NOW, SMALL

ASKED = ("--accounts=12", "--months=3", "--seed=1121", "--answers=40", f"--until={NOW.date()}", "--workers=1")


@pytest.fixture
def folder(tmp_path, settings):
    """A folder of our own for the record, not for the database."""
    settings.LOCAL_DIR = tmp_path
    return tmp_path


def refusal(*words):
    with pytest.raises(CommandError) as caught:
        call_command("simulate", *words)
    return str(caught.value)


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("--accounts=0", "“0” is not a whole number from 1 to 200,000."),
        ("--accounts=1000000", "“1000000” is not a whole number from 1 to 200,000."),
        ("--months=-1", "“-1” is not a whole number from 1 to 60."),
        ("--answers=many", "“many” is not a whole number from 1 to 1,000."),
        ("--workers=0", "“0” is not a whole number from 1 to 16."),
        ("--seed=1.5", "“1.5” is not a whole number from 0 to 999,999."),
        ("--until=yesterday", "“yesterday” is not a day; write it as 2026-11-23."),
    ],
)
def test_a_bad_word_gets_a_clear_sentence(word, sentence):
    assert sentence in refusal(word)


def test_a_period_that_ends_in_the_future_is_refused():
    assert refusal("--until=2999-01-01").startswith("--until lies in the future")


def test_a_stripe_elsewhere_is_refused_before_anything_is_asked_of_it(folder, settings):
    settings.STRIPE_API_BASE = "https://api.stripe.com"
    assert refusal(*ASKED, "--any-database") == (
        "Stripe is at https://api.stripe.com, which is not the local one. Nothing was done."
    )


def test_a_local_stripe_that_is_not_there_gets_one_line(folder, settings):
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    assert refusal(*ASKED, "--any-database") == (
        "The local Stripe does not answer at http://127.0.0.1:9. "
        "Start the local system first, in another window: uv run manage.py up"
    )


def test_a_database_that_is_not_there_gets_one_line(folder, local_system, settings):
    settings.DATABASE_URL = "postgresql://postgres@127.0.0.1:9/causerie"
    assert refusal(*ASKED, "--any-database").startswith("The database does not answer.")


def test_a_foreign_database_is_refused_unless_it_is_wanted(folder, local_system):
    assert "is not the one that manage.py up starts" in refusal(*ASKED)
    assert not User.objects.exists()


def test_nothing_begins_where_nothing_is_sold(folder, transactional_db, simulated_stripe, settings):
    settings.STRIPE_API_BASE = simulated_stripe.base
    assert refusal(*ASKED, "--any-database").startswith("Nothing is for sale at the local Stripe yet.")


def test_other_parameters_are_refused_beside_a_simulation_that_is_here(folder, local_system):
    Checkpoint.inside(folder).folder.mkdir()
    Checkpoint.inside(folder).begin(SMALL)
    said = refusal(*ASKED, "--accounts=13", "--any-database")
    assert "--accounts 12 --months 3 --seed 1121 --answers 40" in said
    assert "--reset" in said
    assert not User.objects.exists()


def test_people_without_a_record_are_not_played_again(folder, local_system):
    User.objects.create_user(SMALL.email_of(0))
    assert "the record of their simulation is gone" in refusal(*ASKED, "--any-database")


def test_a_record_without_people_says_what_to_delete(folder, local_system):
    kept = Checkpoint.inside(folder)
    kept.folder.mkdir()
    kept.begin(SMALL)
    kept.note(0, 9, careful_until=-1)
    words = [*ASKED[:4], "--any-database"]
    assert f"Delete {kept.folder} to begin anew." in refusal(*words)


def test_the_end_that_was_chosen_at_first_stays(folder, local_system):
    kept = Checkpoint.inside(folder)
    kept.folder.mkdir()
    kept.begin(SMALL)
    kept.finish(now=NOW)
    call_command("simulate", *ASKED[:4], "--any-database")
    assert kept.find_parameters().until == NOW != NOW + timedelta(days=1)
