"""Every failure of the catalogue has a test that carries its number, here or where its room is."""

import re

from tests.house.source import ROOT

LAST = 40
NUMBERED = re.compile(r"^def test_f(\d\d)_", re.MULTILINE)
ROWS = re.compile(r"^\| (F[\d, F]+) \|.*\| ([^|]+) \|$", re.MULTILINE)


def numbered(place):
    """Which failures have a test of their number in a folder, or in one module."""
    paths = place.rglob("test_*.py") if place.is_dir() else [place]
    return {int(number) for path in paths for number in NUMBERED.findall(path.read_text(encoding="utf-8"))}


def rows_of_the_docs():
    """What docs/billing.md says: failure → the places that are named for its tests."""
    text = (ROOT / "docs" / "billing.md").read_text(encoding="utf-8")
    return {
        int(number): re.findall(r"`(\w+)`", places)
        for row, places in ROWS.findall(text)
        for number in re.findall(r"\d+", row)
    }


def test_every_failure_has_a_test():
    assert numbered(ROOT / "tests") >= set(range(1, LAST + 1))


def test_the_table_in_the_docs_names_every_failure_and_where_its_test_is():
    rows = rows_of_the_docs()
    assert sorted(rows) == list(range(1, LAST + 1))
    for number, names in rows.items():
        here = [ROOT / "tests" / "billing" / "failures" / f"{name}.py" for name in names]
        places = [path if path.is_file() else ROOT / "tests" / name for path, name in zip(here, names, strict=True)]
        assert any(number in numbered(place) for place in places), number
