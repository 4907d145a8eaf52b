"""Which passwords are refused: those that are guessed soon, and those that leaked. Nobody else is asked."""

import hashlib
import mmap
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from zxcvbn import zxcvbn

from apps.accounts.models import User

LONGEST_JUDGED = 72  # more of it only takes time
LEAST_SCORE = 3  # zxcvbn's "safely unguessable": 10⁸ guesses, even where the hash is stolen
SHA1_HEX = 40


@dataclass(frozen=True)
class Strength:
    """How well a password stands: `score` from 0 (guessed at once) to 4, as zxcvbn counts."""

    score: int
    is_breached: bool

    @property
    def is_enough(self) -> bool:
        return self.score >= LEAST_SCORE and not self.is_breached


def judge(password: str, *, email: str = "", name: str = "") -> Strength:
    """Judge a password, with what a guesser knows of the person."""
    known = [word for word in (email, *email.split("@"), name, settings.SITE_NAME) if word]
    score = zxcvbn(password[:LONGEST_JUDGED], user_inputs=known)["score"] if password else 0
    return Strength(score, is_breached(password))


def is_breached(password: str) -> bool:
    """Whether a password stands in the file of leaked ones, if the operator gave one.

    The file is that of Have I Been Pwned, ordered by hash: a line for each, SHA-1 in upper-case hexadecimal, a colon,
    a count. It is not read but searched, whatever its size.
    """
    path = settings.BREACHED_PASSWORDS_FILE
    if not path or not password:
        return False
    wanted = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper().encode()
    with Path(path).open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as lines:
        return _find(lines, wanted)


class StrengthValidator:
    """For Django's AUTH_PASSWORD_VALIDATORS: refuses what is guessed soon, or leaked."""

    def validate(self, password: str, user: User | None = None) -> None:
        """Say what would help.

        Raises  ValidationError: it is refused.
        """
        strength = judge(password, email=getattr(user, "email", "") or "", name=getattr(user, "name", "") or "")
        if strength.is_breached:
            sentence = _("This password appeared in a data leak, so guessers know it. Please choose another.")
            raise ValidationError(sentence, code="password_breached")
        if not strength.is_enough:
            sentence = _("This password is easy to guess. Add a word or two that have nothing to do with it.")
            raise ValidationError(sentence, code="password_weak")

    def get_help_text(self) -> str:
        """What the admin's page says beside the field."""
        return _("Your password must not be easy to guess, nor known from a leak.")


def _find(lines: mmap.mmap, wanted: bytes) -> bool:
    """Bisect over bytes: a line begins after the line break before the middle."""
    low, high = 0, len(lines)
    while low < high:
        middle = (low + high) // 2
        start = lines.rfind(b"\n", 0, middle) + 1
        found = lines[start : start + SHA1_HEX]
        if found == wanted:
            return True
        if found < wanted:
            end = lines.find(b"\n", middle)
            low = len(lines) if end < 0 else end + 1
        else:
            high = start
    return False
