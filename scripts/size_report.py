"""Measure the sizes that the house steers by, and report what is larger than usual.

`tests/house/test_sizes.py` refuses what is larger than `hard`. Docstrings and generated files do not count.
"""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GENERATED = ("migrations", "node_modules", "dist", "schema.d.ts")


@dataclass(frozen=True)
class Size:
    """The usual and the hard number of lines of one kind of thing."""

    kind: str
    usual: int
    hard: int


MODULE = Size("Python module", 250, 400)
FUNCTION = Size("function", 20, 45)
VIEW = Size("view or endpoint", 15, 25)
TASK = Size("task", 12, 20)
SETTINGS = Size("settings module", 150, 200)
URLS = Size("project/urls.py", 40, 60)
TEMPLATE = Size("template", 120, 200)
TEST_MODULE = Size("test module", 250, 400)
TEST = Size("test", 25, 45)
COMPONENT = Size("Svelte component", 150, 250)
SCRIPT = Size("TypeScript module", 150, 250)


@dataclass(frozen=True)
class Measured:
    """One thing with its size in lines."""

    size: Size
    where: str
    lines: int


def measure() -> Iterator[Measured]:
    """Yield every thing that has a size."""
    for folder in ("apps", "project", "tests", "scripts"):
        for path in _files(folder, "*.py"):
            yield from _python(path)
    for path in _files("templates", "*"):
        yield Measured(TEMPLATE, _name(path), _lines(path))
    for path in _files("frontend/src", "*.svelte"):
        yield Measured(COMPONENT, _name(path), _lines(path))
    for path in _files("frontend/src", "*.ts"):
        yield Measured(SCRIPT, _name(path), _lines(path))


def _files(folder: str, pattern: str) -> Iterator[Path]:
    for path in sorted((ROOT / folder).rglob(pattern)):
        if path.is_file() and not any(part in GENERATED for part in path.parts):
            yield path


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def _python(path: Path) -> Iterator[Measured]:
    is_test = path.parts[len(ROOT.parts)] == "tests"
    yield Measured(_module_size(path, is_test=is_test), _name(path), _lines(path))
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            size = TEST if is_test else _function_size(path, node)
            yield Measured(size, f"{_name(path)}:{node.lineno} {node.name}", _body_lines(node))


def _module_size(path: Path, *, is_test: bool) -> Size:
    if is_test:
        return TEST_MODULE
    if path.parent.name == "settings":
        return SETTINGS
    return URLS if _name(path) == "project/urls.py" else MODULE


def _function_size(path: Path, node: ast.FunctionDef | ast.AsyncFunctionDef) -> Size:
    if path.stem == "tasks" and any("task" in ast.unparse(decorator) for decorator in node.decorator_list):
        return TASK
    is_edge = path.stem in ("views", "api") or path.parent.name in ("views", "api")
    takes_request = any(argument.arg == "request" for argument in node.args.args)
    return VIEW if is_edge and takes_request else FUNCTION


def _body_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from `def` to the end, without the docstring."""
    whole = (node.end_lineno or node.lineno) - node.lineno + 1
    if ast.get_docstring(node) is None:
        return whole
    docstring = node.body[0]
    return whole - ((docstring.end_lineno or docstring.lineno) - docstring.lineno + 1)


def main() -> None:
    """Print what is larger than usual, largest excess first."""
    large = [thing for thing in measure() if thing.lines > thing.size.usual]
    large.sort(key=lambda thing: thing.lines / thing.size.usual, reverse=True)
    for thing in large:
        size = thing.size
        sys.stdout.write(f"{thing.lines:4} lines  {size.kind} (usual {size.usual}, hard {size.hard})  {thing.where}\n")
    sys.stdout.write(f"{len(large)} things are larger than usual.\n")


if __name__ == "__main__":
    main()
