"""The docstring of a room is its map: every rule module stands in its table, and nothing else does."""

import ast
import re

import pytest

from tests.house import source

EDGES = {
    "admin",
    "api",
    "apps",
    "context",
    "forms",
    "management",
    "migrations",
    "tasks",
    "templatetags",
    "urls",
    "views",
}
FREE_TO_NAME = {"models", "errors", "personal_data"}  # each room has them under the same name
ROW = re.compile(r"^\| (?P<rule>.+?) \| (?P<module>.+?) \|$", re.MULTILINE)
LAYERS = {"common", "helpers", "managers", "misc", "services", "signals", "utils"}


def modules_of(app):
    folder = source.ROOT / "apps" / app
    files = {path.stem for path in folder.glob("*.py")} - {"__init__", "__main__"}
    folders = {path.name for path in folder.iterdir() if (path / "__init__.py").is_file()}
    return files | folders


def docstring_of(app):
    return ast.get_docstring(source.tree_of(source.ROOT / "apps" / app / "__init__.py")) or ""


def modules_in_table(app):
    cells = [row["module"] for row in ROW.finditer(docstring_of(app)) if row["module"] != "module"]
    return {re.split(r"[./]", word)[0] for cell in cells for word in re.findall(r"`([^`]+)`", cell)}


@pytest.mark.parametrize("app", source.APPS)
def test_every_rule_module_is_on_the_map(app):
    assert modules_of(app) - EDGES - FREE_TO_NAME - modules_in_table(app) == set()


@pytest.mark.parametrize("app", source.APPS)
def test_the_map_shows_nothing_that_is_gone(app):
    assert modules_in_table(app) - modules_of(app) == set()


@pytest.mark.parametrize("app", source.APPS)
def test_the_map_begins_with_what_the_room_is_for(app):
    first = docstring_of(app).splitlines()[0]
    assert first.endswith(".")
    assert "|" not in first


def test_nothing_is_named_after_a_layer():
    assert [source.name_of(path) for path in source.modules("apps", "project") if path.stem in LAYERS] == []


def test_every_room_with_tables_says_what_it_knows_of_a_person():
    without_people = {"reporting", "privacy"}  # figures of days; privacy keeps the requests themselves as proof
    told = {app for app in source.APPS if "personal_data" in modules_of(app)}
    assert set(source.WITH_TABLES) - without_people - told == set()
