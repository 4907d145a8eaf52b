"""apps/accounts/passwords.py: what is guessed soon, or leaked, is refused without asking anybody."""

import hashlib

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from apps.accounts import passwords
from apps.accounts.models import User
from tests import build

LEAKED = ["hunter2", "correct horse battery", "letmein!", "zzz", "été 1969"]


def sha1(password):
    return hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()


@pytest.fixture
def leak(settings, tmp_path):
    settings.BREACHED_PASSWORDS_FILE = str(tmp_path / "leak.txt")

    def write(known, end="\n"):
        lines = sorted(f"{sha1(password)}:{number}" for number, password in enumerate(known, 1))
        (tmp_path / "leak.txt").write_text("\n".join(lines) + end)

    write(LEAKED)
    return write


@pytest.mark.parametrize("password", ["password123", "azertyuiop", "qwertz1234", "causerie2026"])
def test_what_is_guessed_soon_is_refused(password):
    with pytest.raises(ValidationError) as refused:
        validate_password(password)
    assert "password_weak" in [error.code for error in refused.value.error_list]


@pytest.mark.parametrize("password", [build.PASSWORD, "ocre lune radeau 8", "x" * 5 + "Wq7#kP2!vb"])
def test_what_nobody_guesses_is_taken(password):
    validate_password(password)


def test_what_a_guesser_knows_of_the_person_does_not_count():
    assert passwords.judge("quillfeather-88").is_enough
    assert not passwords.judge("quillfeather-88", email="quillfeather-88@example.org").is_enough
    with pytest.raises(ValidationError):
        validate_password("quillfeather-88", User(email="quillfeather-88@example.org"))


def test_a_very_long_password_takes_no_time_to_judge():
    assert passwords.judge("ocre lune radeau 8 " * 10_000).is_enough


@pytest.mark.parametrize("password", LEAKED)
def test_what_leaked_is_found_wherever_it_stands(leak, password):
    assert passwords.is_breached(password)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 200])
@pytest.mark.parametrize("end", ["\n", ""])
def test_a_file_of_any_size_is_searched_to_its_ends(leak, size, end):
    known = [f"password number {number}" for number in range(size)]
    leak(known, end)
    assert all(passwords.is_breached(password) for password in known)
    assert not any(passwords.is_breached(f"another {number}") for number in range(50))


def test_what_leaked_is_refused_however_strong_it_looks(leak):
    with pytest.raises(ValidationError) as refused:
        validate_password("correct horse battery")
    assert [error.code for error in refused.value.error_list] == ["password_breached"]


def test_without_a_file_nothing_is_known_to_have_leaked(settings):
    settings.BREACHED_PASSWORDS_FILE = ""
    assert not passwords.is_breached("hunter2")
