"""Words and colours that may not stand where they are."""

import re

import pytest

from tests.house.source import ROOT

TEXT = {".py", ".html", ".txt", ".ts", ".svelte", ".css", ".js", ".toml", ".md", ".yml", ""}
SOURCES = ("apps", "project", "templates", "tests", "scripts", "frontend/src", "frontend/tests", "docs", ".ci")
OPEN_END = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b(?! \(#\d+\))")  # `TODO (#12): …` says where it is spoken of
HEX_COLOUR = re.compile(r"(?<![\w.&/])#(?:[0-9a-fA-F]{8}|[0-9a-fA-F]{6}|[0-9a-fA-F]{3,4})(?![0-9A-Za-z_(-])")
COLOURED = (".css", ".svelte", ".ts", ".html")
# The second is the local Stripe's: another house, which looks different on purpose.
TOKENS = ("frontend/src/tokens.css", "templates/stripe_sandbox/style.css")


def files(*folders):
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and path.suffix in TEXT and not {"node_modules", "dist", "__pycache__"} & set(path.parts):
                yield path


def lines(*folders):
    for path in files(*folders):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            yield f"{path.relative_to(ROOT)}:{number}", line


def test_no_end_is_left_open_without_saying_where_it_is_spoken_of():
    own = "tests/house/test_words.py"
    assert [where for where, line in lines(*SOURCES) if OPEN_END.search(line) and not where.startswith(own)] == []


def test_colours_stand_in_the_tokens_only():
    coloured = [
        f"{where}: {line.strip()}"
        for where, line in lines("frontend/src", "templates")
        if where.split(":")[0].endswith(COLOURED) and HEX_COLOUR.search(re.sub(r"&#\w+;|href=\"#[^\"]*\"", "", line))
    ]
    assert [line for line in coloured if not line.startswith(TOKENS)] == []


@pytest.mark.parametrize("colour", ["#fff", "#0f0f0f", "#11223344"])
def test_a_colour_is_known_when_seen(colour):
    assert HEX_COLOUR.search(f"color: {colour};")


@pytest.mark.parametrize("word", ["#main", "#chat", "#12", "#add-key"])
def test_an_anchor_is_not_a_colour(word):
    assert not HEX_COLOUR.search(f'href="{word}"')


def test_nothing_is_vendored():
    assert [
        path.name for path in ROOT.rglob("vendor") if not {"node_modules", ".venv", ".local"} & set(path.parts)
    ] == []
