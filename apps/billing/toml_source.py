"""Typed readers of a TOML file: what makes no sense is refused with file, line and key, never guessed."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NoReturn

from apps.billing.errors import CatalogueError

HEADER = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
ENTRY = re.compile(r"""\s*([A-Za-z0-9_\-."' ]+?)\s*=""")
SYNTAX = re.compile(r"(.*) \(at (?:line (\d+), column \d+|end of document)\)")
Path_ = tuple[str | int, ...]


class Table:
    """One table of the file. Each reader names the key it expects; `refuse_rest` refuses what nobody read."""

    def __init__(self, source: "Source", path: Path_, values: Mapping[str, Any]) -> None:  # Any: TOML
        self.source, self.path, self.values = source, path, values
        self.read: set[str] = set()

    def has(self, key: str) -> bool:
        """Whether the key is there; asking counts as reading."""
        self.read.add(key)
        return key in self.values

    def raw(self, key: str, *, default: object = None) -> object:
        """The value as it stands. Without it and without a default the start stops."""
        if self.has(key):
            return self.values[key]
        return default if default is not None else self.refuse("is missing", key)

    def text(self, key: str, *, default: str | None = None) -> str:
        """Read words that are not empty."""
        value = self.raw(key, default=default)
        if not isinstance(value, str) or not value.strip():
            self.refuse(f"is {show(value)}; it takes a text", key)
        return value

    def whole(self, key: str, *, least: int = 0, default: int | None = None) -> int:
        """Read a whole number, not below `least`."""
        value = self.raw(key, default=default)
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            self.refuse(f"is {show(value)}; it takes a whole number from {least} up", key)
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        """Read true or false."""
        value = self.raw(key, default=default)
        if not isinstance(value, bool):
            self.refuse(f"is {show(value)}; it takes true or false", key)
        return value

    def choice(self, key: str, among: Iterable[str], *, default: str | None = None) -> str:
        """Read one of a few words."""
        value, words = self.raw(key, default=default), tuple(among)
        if not isinstance(value, str) or value not in words:
            self.refuse(f"is {show(value)}; it takes one of {', '.join(words)}", key)
        return value

    def choices(self, key: str, among: Iterable[str], *, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """Read a list of words, each one of those given, none twice."""
        known = tuple(among)
        values = self.texts(key, default=default)
        for value in values:
            if value not in known:
                self.refuse(f"names “{value}”; it takes {', '.join(known) or 'nothing'}", key)
        return values

    def texts(self, key: str, *, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """Read a list of texts, none twice."""
        values = self.raw(key, default=default)
        if not isinstance(values, (list, tuple)) or not all(isinstance(value, str) and value for value in values):
            self.refuse(f"is {show(values)}; it takes a list of texts", key)
        if len(set(values)) != len(values):
            self.refuse("names something twice", key)
        return tuple(values)

    def wholes(self, key: str, *, least: int = 0) -> tuple[int, ...]:
        """Read a list of whole numbers that rise, none of them below `least`."""
        values = self.raw(key)
        listed = values if isinstance(values, list) else []
        are_whole = all(type(value) is int and value >= least for value in listed)
        if not listed or not are_whole or sorted(set(listed)) != listed:
            self.refuse(f"is {show(values)}; it takes whole numbers that rise, from {least} up", key)
        return tuple(listed)

    def table(self, key: str) -> "Table":
        """Read a table inside this one."""
        value = self.raw(key)
        if not isinstance(value, dict):
            self.refuse(f"is {show(value)}; it takes a table", key)
        return Table(self.source, (*self.path, key), value)

    def tables(self, key: str) -> list["Table"]:
        """Read `[[key]]` tables, of which there may be none."""
        values = self.raw(key, default=[])
        if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
            self.refuse(f"is {show(values)}; it takes [[tables]]", key)
        return [Table(self.source, (*self.path, key, number), value) for number, value in enumerate(values)]

    def each(self) -> list[tuple[str, "Table"]]:
        """Read every entry as a table, in the file's order."""
        return [(key, self.table(key)) for key in self.values]

    def refuse_rest(self) -> None:
        """Refuse a key that nobody asked for: it is misspelt, and would be ignored."""
        for key in self.values:
            if key not in self.read:
                known = ", ".join(sorted(self.read)) or "nothing"
                self.refuse(f"is not known here; known are {known}", key)

    def refuse(self, reason: str, *keys: str) -> NoReturn:
        """Stop, naming the place."""
        self.source.refuse((*self.path, *keys), reason)


class Source:
    """A file, and the line on which each of its keys stands."""

    def __init__(self, path: Path) -> None:
        self.name = path.name
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise CatalogueError(f"{path}: cannot be read ({error}).") from error
        self.lines = _lines_of_keys(text)
        try:
            self.values = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise CatalogueError(self._syntax(str(error), text)) from error

    def table(self) -> Table:
        """The whole file."""
        return Table(self, (), self.values)

    def refuse(self, path: Path_, reason: str) -> NoReturn:
        """Stop, naming file, line and key. A key that is missing is reported where its table begins."""
        known = next((path[:n] for n in range(len(path), 0, -1) if path[:n] in self.lines), ())
        line = self.lines.get(known, 1)
        raise CatalogueError(f"{self.name}, line {line}, {_dotted(path)}: {reason}.")

    def _syntax(self, message: str, text: str) -> str:
        found = SYNTAX.fullmatch(message)
        line = int(found[2]) if found and found[2] else text.count("\n") + 1
        reason = found[1] if found else message
        before = [path for path, at in self.lines.items() if at <= line]
        where = max(before, key=lambda path: (self.lines[path], len(path)), default=())
        return f"{self.name}, line {line}, {_dotted(where) or 'at the top'}: this is not TOML ({reason})."


def show(value: object) -> str:
    """A value in a sentence."""
    return f"“{value}”" if isinstance(value, str) else str(value)


def _dotted(path: Path_) -> str:
    text = "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.lstrip(".")


def _lines_of_keys(text: str) -> dict[Path_, int]:
    """Where each table and key begins: (“plans”, “free”, “limit”, 0, “amount”) → 43. Inline tables share a line."""
    lines: dict[Path_, int] = {}
    counts: dict[Path_, int] = {}
    inside: Path_ = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := HEADER.match(line):
            inside = _parts(header[2])
            if header[1] == "[[":
                counts[inside] = counts.get(inside, -1) + 1
                inside = (*inside, counts[inside])
            lines.setdefault(inside, number)
        elif entry := ENTRY.match(line):
            lines.setdefault((*inside, *_parts(entry[1])), number)
    return lines


def _parts(dotted: str) -> Path_:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))
