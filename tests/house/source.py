"""How the house's tests read the house: files and syntax trees."""

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
APPS = sorted(path.name for path in (ROOT / "apps").iterdir() if (path / "__init__.py").is_file())
STAIRS = [
    "core",
    "accounts",
    "billing",
    "usage",
    "inference",
    "chat developer",
    "privacy",
    "reporting localdev",
    "staff",
]
WITH_TABLES = [app for app in APPS if app != "stripe_sandbox" and (ROOT / "apps" / app / "migrations").is_dir()]


def step_of(app):
    """How high a room lies; the lowest is 0."""
    return next(number for number, rooms in enumerate(STAIRS) if app in rooms.split())


@cache
def tree_of(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def modules(*folders):
    """Every Python file of ours below these folders, generated ones left out."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path


def name_of(path):
    return str(path.relative_to(ROOT))


def calls(path, method):
    """Calls of anything named `method` in a file: `thing.method(…)` and `method(…)`."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Call):
            function = node.func
            name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
            if name == method:
                yield node


def keywords(call):
    return {keyword.arg for keyword in call.keywords}
