"""The sandbox imports nothing of ours, and nothing of ours imports it."""

import ast
import tomllib

from tests.support.stripe import ROOT


def imports_of(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_imports_no_other_app():
    for path in (ROOT / "apps" / "stripe_sandbox").rglob("*.py"):
        foreign = [name for name in imports_of(path) if name.startswith(("apps.", "project", "stripe."))]
        assert [name for name in foreign if not name.startswith("apps.stripe_sandbox")] == [], path


def test_is_imported_by_no_other_app():
    ours = [*(ROOT / "apps").rglob("*.py"), *(ROOT / "project").rglob("*.py")]
    others = [path for path in ours if "stripe_sandbox" not in path.parts]
    assert len(others) > 20
    assert [path for path in others if any("stripe_sandbox" in name for name in imports_of(path))] == []


def test_reads_the_time_in_one_module_only():
    for path in (ROOT / "apps" / "stripe_sandbox").rglob("*.py"):
        if path.name != "clock.py":
            assert {"time", "time.time", "django.utils.timezone"}.isdisjoint(imports_of(path)), path


def test_production_neither_knows_nor_installs_it():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert [line for line in project["dependencies"] if line.startswith("jsonschema")] == []
    for path in (ROOT / "project").rglob("*.py"):
        assert "stripe_sandbox" not in path.read_text(encoding="utf-8"), path
    assert [path for path in ROOT.glob("*Dockerfile*") if "stripe_sandbox" in path.read_text(encoding="utf-8")] == []


def test_only_the_tools_of_one_machine_name_it():
    ours = [path for path in (ROOT / "apps").rglob("*.py") if "stripe_sandbox" not in path.parts]
    naming = {path.relative_to(ROOT).parts[1] for path in ours if "stripe_sandbox" in path.read_text(encoding="utf-8")}
    assert naming <= {"localdev"}
