"""What a person can read, a person can read in French."""

import re
import string

import polib
import pytest
from django.utils import translation

from scripts import words

each_house = pytest.mark.parametrize("house", words.CATALOGUES)
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|%%")


def catalogue(house):
    return polib.pofile(str(words.CATALOGUES[house]))


def by_key(entries):
    return {(entry.msgctxt, entry.msgid): entry for entry in entries}


def texts(entry):
    """Pairs of what is said and how it is said in French."""
    if not entry.msgid_plural:
        return [(entry.msgid, entry.msgstr)]
    return [(entry.msgid_plural, text) for number, text in entry.msgstr_plural.items() if number] or [("", "")]


def fields(text):
    braces = [name for _, name, _, _ in string.Formatter().parse(text) if name] if "{" in text else []
    return sorted(PLACEHOLDER.findall(text)) + sorted(braces)


@each_house
def test_every_text_of_the_sources_has_french(house):
    known = {key for key, entry in by_key(catalogue(house)).items() if not words.is_missing(entry)}
    assert sorted(words.collect(house).keys() - known, key=str) == []


@each_house
def test_nothing_is_kept_that_nobody_says(house):
    assert sorted(by_key(catalogue(house)).keys() - words.collect(house).keys(), key=str) == []


@each_house
def test_what_is_filled_in_is_the_same_in_both(house):
    wrong = [said for entry in catalogue(house) for said, french in texts(entry) if fields(said) != fields(french)]
    assert wrong == []


@each_house
def test_the_compiled_catalogue_is_in_step(house):
    compiled = polib.mofile(str(words.CATALOGUES[house].with_suffix(".mo")))
    shown = {key: (entry.msgstr, entry.msgstr_plural) for key, entry in by_key(compiled).items()}
    assert shown == {key: (entry.msgstr, entry.msgstr_plural) for key, entry in by_key(catalogue(house)).items()}


@each_house
def test_french_is_not_english(house):
    """Names and words that both languages share are few; a forgotten copy is long."""
    copied = [entry.msgid for entry in catalogue(house) if entry.msgid == entry.msgstr and len(entry.msgid.split()) > 3]
    assert copied == []


def test_a_page_is_shown_in_french(client, db):
    page = client.get("/accounts/signup/", headers={"Accept-Language": "fr"})
    assert page["Content-Language"] == "fr"
    with translation.override("fr"):
        assert str(page.context["form"]["accept_terms"].label).startswith("J’accepte")
