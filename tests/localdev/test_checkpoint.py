from dataclasses import replace

import pytest

from apps.localdev.simulation import checkpoint
from apps.localdev.simulation.checkpoint import Busy, Checkpoint, Start
from tests.localdev.simulated import NOW, SMALL


@pytest.fixture
def kept(tmp_path):
    found = Checkpoint.inside(tmp_path)
    with found.hold():
        found.begin(SMALL)
    return found


def test_nothing_is_known_before_the_first_start(tmp_path):
    found = Checkpoint.inside(tmp_path)
    assert (found.find_parameters(), found.is_finished(), found.days()) == (None, False, [])


def test_parameters_are_remembered_and_the_end_too(kept):
    assert (kept.find_parameters(), kept.is_finished()) == (SMALL, False)
    kept.finish(now=NOW)
    assert (kept.find_parameters(), kept.is_finished()) == (SMALL, True)


def test_a_first_start_begins_at_the_beginning_and_need_not_be_careful(kept):
    assert kept.start(2) == Start(0, -1)
    assert kept.days() == [0, 0]


def test_a_killed_run_goes_on_at_the_slowest_worker_and_is_careful_up_to_the_fastest(kept):
    kept.start(2)
    kept.note(0, 5, careful_until=-1)
    kept.note(1, 8, careful_until=-1)
    assert kept.start(2) == Start(5, 8)


def test_another_number_of_workers_takes_over(kept):
    kept.start(3)
    for worker, day in enumerate((4, 6, 9)):
        kept.note(worker, day, careful_until=-1)
    assert kept.start(1) == Start(4, 9)
    assert kept.days() == [4]
    assert kept.start(2) == Start(4, 9)


def test_only_one_run_at_a_time(kept, monkeypatch):
    monkeypatch.setattr(checkpoint, "PATIENCE_S", 0.0)
    with kept.hold(), pytest.raises(Busy), kept.hold():
        raise AssertionError("two runs at once")
    with kept.hold():
        assert kept.find_parameters() != replace(SMALL, seed=1)
