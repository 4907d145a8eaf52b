"""Sizes that stop a build; `scripts/size_report.py` measures, and reports what is larger than usual."""

from scripts import size_report


def test_nothing_is_larger_than_its_hard_size():
    assert [f"{thing.where}: {thing.lines}" for thing in size_report.measure() if thing.lines > thing.size.hard] == []


def test_every_kind_of_thing_is_measured():
    kinds = {thing.size.kind for thing in size_report.measure()}
    assert kinds >= {"Python module", "function", "view or endpoint", "task", "template", "test module", "test"}
    assert kinds >= {"settings module", "project/urls.py", "Svelte component", "TypeScript module"}
