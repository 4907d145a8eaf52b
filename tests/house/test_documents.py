"""What is written about the project agrees with the project."""

import ast
import json
import re
import tomllib

import pytest
from packaging.requirements import Requirement

from tests.house import source
from tests.house.source import ROOT

PAGES = ["README.md", "CONTRIBUTING.md", *(str(path.relative_to(ROOT)) for path in ROOT.glob("docs/*.md"))]
DECISIONS = sorted((ROOT / "docs" / "adr").glob("*.md"))
HEADINGS = ["Question", "Decision", "Why", "Price", "How it is checked"]
READERS = {f"env.{reader}" for reader in ("text", "flag", "integer", "choice", "words", "url")}
LINK = re.compile(r"\]\((?!https?:)([^)#]+)\)")


def first_cells(path):
    """The first word of every table row that begins with one: `| name | …`."""
    return re.findall(r"^\| `?([@\w./-]+)`? \|", path.read_text(encoding="utf-8"), re.MULTILINE)


def settings_that_are_read():
    for path in source.modules("project"):
        for node in ast.walk(source.tree_of(path)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in READERS:
                yield ast.literal_eval(node.args[0])


def test_the_readme_lists_every_setting_and_no_other():
    listed = [name for name in first_cells(ROOT / "README.md") if name.isupper()]
    assert sorted(listed) == sorted(set(settings_that_are_read()))


def test_every_dependency_has_its_line_and_no_other_has():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    npm = json.loads((ROOT / "frontend" / "package.json").read_text())
    groups = [project["project"]["dependencies"], *project["dependency-groups"].values()]
    declared = {Requirement(line).name for group in groups for line in group} | npm["dependencies"].keys()
    assert set(first_cells(ROOT / "docs" / "dependencies.md")) - {"package"} == declared


def test_decisions_are_numbered_without_a_gap():
    assert [path.name[:5] for path in DECISIONS] == [f"{number:04}-" for number in range(1, len(DECISIONS) + 1)]


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_is_one_screen_with_five_headings(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith(f"# {int(path.name[:4])}. ")
    assert [line[3:] for line in lines if line.startswith("## ")] == HEADINGS
    assert len(lines) <= 60


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name):
    path = ROOT / name
    assert [link for link in LINK.findall(path.read_text(encoding="utf-8")) if not (path.parent / link).exists()] == []


def test_the_licence_is_whole():
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text


def test_the_words_of_the_glossary_are_in_order():
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    words = re.findall(r"^\| ([a-z][\w -]*) \|", text, re.MULTILINE)
    assert words[1:] == sorted(words[1:])


def test_scripts_are_ten_lines_and_may_be_run():
    for name in ("check", "fix", "test"):
        script = ROOT / "scripts" / name
        assert script.stat().st_mode & 0o111, name
        assert len([line for line in script.read_text().splitlines() if line and not line.startswith("#")]) <= 10, name
