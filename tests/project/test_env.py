import pytest
from django.core.exceptions import ImproperlyConfigured

from project import env


@pytest.fixture
def given(monkeypatch):
    return monkeypatch.setenv


def refusal(read, *words, **options):
    with pytest.raises(ImproperlyConfigured) as caught:
        read(*words, **options)
    return str(caught.value)


@pytest.mark.parametrize("spelling", ["1", "true", "YES", "on"])
def test_flag_knows_the_usual_ways_to_say_yes(given, spelling):
    given("CAUSERIE_DEBUG", spelling)
    assert env.flag("CAUSERIE_DEBUG", default=False) is True


def test_flag_refuses_a_word_it_does_not_know(given):
    given("CAUSERIE_DEBUG", "maybe")
    assert refusal(env.flag, "CAUSERIE_DEBUG", default=False) == (
        "CAUSERIE_DEBUG is “maybe”; it takes one of 1, true, yes, on, 0, false, no, off."
    )


def test_integer_refuses_words(given):
    given("EMAIL_PORT", "many")
    assert refusal(env.integer, "EMAIL_PORT", 25) == "EMAIL_PORT is “many”; it takes a whole number."


def test_integer_refuses_less_than_makes_sense(given):
    given("EMAIL_PORT", "0")
    assert refusal(env.integer, "EMAIL_PORT", 25, least=1) == "EMAIL_PORT is 0; it takes a whole number from 1 up."


def test_choice_names_what_it_takes(given):
    given("CAUSERIE_LOG_LEVEL", "LOUD")
    assert refusal(env.choice, "CAUSERIE_LOG_LEVEL", "INFO", among=("INFO", "ERROR")) == (
        "CAUSERIE_LOG_LEVEL is “LOUD”; it takes one of INFO, ERROR."
    )


def test_url_refuses_another_scheme(given):
    given("SITE_URL", "ftp://example.org")
    assert refusal(env.url, "SITE_URL", schemes=("https", "http")) == (
        "SITE_URL must be an address that begins with https:// or http://."
    )


def test_url_loses_its_last_slash(given):
    given("SITE_URL", "https://example.org/")
    assert env.url("SITE_URL", schemes=("https",)) == "https://example.org"


def test_a_setting_without_default_is_required(monkeypatch):
    monkeypatch.delenv("CAUSERIE_TESTED", raising=False)
    assert refusal(env.text, "CAUSERIE_TESTED") == "CAUSERIE_TESTED is required and not set."


def test_a_secret_may_lie_in_a_file(given, tmp_path):
    (tmp_path / "secret").write_text("s3cret\n")
    given("SECRET_KEY_FILE", str(tmp_path / "secret"))
    assert env.text("SECRET_KEY", "default") == "s3cret"


def test_a_missing_secret_file_is_an_error_and_not_an_empty_secret(given, tmp_path):
    given("SECRET_KEY_FILE", str(tmp_path / "gone"))
    assert refusal(env.text, "SECRET_KEY", "default") == (
        f"SECRET_KEY_FILE names {tmp_path}/gone, which cannot be read: No such file or directory."
    )


def test_words_drop_empty_parts(given):
    given("ALLOWED_HOSTS", "a.example, ,b.example,")
    assert env.words("ALLOWED_HOSTS") == ["a.example", "b.example"]


@pytest.mark.parametrize(
    ("misspelt", "meant"), [("STRIPE_SECRETKEY", "STRIPE_SECRET_KEY"), ("CAUSERIE_DEBGU", "CAUSERIE_DEBUG")]
)
def test_a_misspelt_setting_is_refused_with_a_guess(given, misspelt, meant):
    given(misspelt, "x")
    assert refusal(env.refuse_unknown) == f"{misspelt} is not a setting of Causerie. Did you mean {meant}?"


def test_what_the_environment_says_goes_before_what_was_offered(given, monkeypatch):
    monkeypatch.setattr(env, "defaults", {})
    env.offer({"CAUSERIE_TESTED": "offered"})
    assert env.text("CAUSERIE_TESTED") == "offered"
    given("CAUSERIE_TESTED", "said")
    assert env.text("CAUSERIE_TESTED") == "said"
