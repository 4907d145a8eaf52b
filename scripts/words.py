"""Bring the French of pages, mails and refusals in step with Python and templates, and compile it.

`python -m scripts.words` adds what is new without a translation, drops what is gone, compiles, and prints what lacks
French; `tests/house/test_translations.py` fails while anything does. The local Stripe has a catalogue of its own.
"""

import ast
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import django
import polib
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
SANDBOX = "stripe_sandbox"
CATALOGUES = {
    "causerie": ROOT / "locale" / "fr" / "LC_MESSAGES" / "django.po",
    SANDBOX: ROOT / "apps" / SANDBOX / "locale" / "fr" / "LC_MESSAGES" / "django.po",
}
# Function → the places of context, singular and plural among its arguments.
FUNCTIONS = {
    "_": (None, 0, None),
    "gettext": (None, 0, None),
    "gettext_lazy": (None, 0, None),
    "gettext_noop": (None, 0, None),
    "ngettext": (None, 0, 1),
    "ngettext_lazy": (None, 0, 1),
    "pgettext": (0, 1, None),
    "pgettext_lazy": (0, 1, None),
    "npgettext": (0, 1, 2),
}
CALL_IN_TEMPLATE = re.compile(r"(?<!\w)(_|n?p?gettext)\((u?(?:'|\").*?)\)\s", re.DOTALL)


@dataclass
class Word:
    """One text that people see, with where it stands."""

    context: str | None
    singular: str
    plural: str | None
    places: list[str] = field(default_factory=list)


Key = tuple[str | None, str]


def collect(house: str) -> dict[Key, Word]:
    """Every translatable text in the sources of one of the two houses."""
    found: dict[Key, Word] = {}
    for where, call in (*_in_python(), *_in_templates()):
        word = _word(call)
        if word is not None and (SANDBOX in where) == (house == SANDBOX):
            known = found.setdefault((word.context, word.singular), word)
            known.plural = known.plural or word.plural
            if where not in known.places:
                known.places.append(where)
    return found


def _in_python() -> Iterator[tuple[str, ast.Call]]:
    for folder in ("apps", "project"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "migrations" not in path.parts:
                yield from _calls(path, path.read_text(encoding="utf-8"))


def _in_templates() -> Iterator[tuple[str, ast.Call]]:
    for path in sorted((ROOT / "templates").rglob("*")):
        if path.suffix in (".html", ".txt"):
            source = templatize(path.read_text(encoding="utf-8"), origin=str(path.relative_to(ROOT)))
            for match in CALL_IN_TEMPLATE.finditer(source + " "):
                yield from _calls(path, f"{match[1]}({match[2]})")


def _calls(path: Path, source: str) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            yield str(path.relative_to(ROOT)), node


def _word(call: ast.Call) -> Word | None:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name not in FUNCTIONS:
        return None
    context, singular, plural = (None if place is None else _text(call, place) for place in FUNCTIONS[name])
    return Word(context, singular, plural) if singular else None


def _text(call: ast.Call, place: int) -> str | None:
    argument = call.args[place] if place < len(call.args) else None
    return argument.value if isinstance(argument, ast.Constant) and isinstance(argument.value, str) else None


def update(catalogue: polib.POFile, words: dict[Key, Word]) -> None:
    """Make the catalogue hold these words and no others; translations stay."""
    known = {(entry.msgctxt, entry.msgid): entry for entry in catalogue}
    catalogue.clear()
    for key, word in sorted(words.items(), key=lambda item: (item[0][1].lower(), item[0][1], item[0][0] or "")):
        entry = known.get(key) or polib.POEntry(msgid=word.singular, msgctxt=word.context)
        if word.plural and not entry.msgid_plural:
            entry.msgid_plural, entry.msgstr, entry.msgstr_plural = word.plural, "", {0: "", 1: ""}
        entry.occurrences = [(place, "") for place in sorted(word.places)]
        if "%(" in word.singular + (word.plural or ""):
            entry.flags = ["python-format"]
        catalogue.append(entry)


def is_missing(entry: polib.POEntry) -> bool:
    """Whether a translation, or one of its plurals, is empty."""
    return not all(entry.msgstr_plural.values()) if entry.msgid_plural else not entry.msgstr


def main() -> None:
    """Update, compile, and say what is missing."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings.test")
    django.setup()
    for house, path in CATALOGUES.items():
        catalogue = polib.pofile(str(path), wrapwidth=110)
        update(catalogue, collect(house))
        catalogue.save()
        catalogue.save_as_mofile(str(path.with_suffix(".mo")))
        missing = [entry.msgid for entry in catalogue if is_missing(entry)]
        sys.stdout.write("".join(f"lacks French: {text!r}\n" for text in missing))
        sys.stdout.write(f"{house}: {len(catalogue)} texts, {len(missing)} without French.\n")


if __name__ == "__main__":
    main()
