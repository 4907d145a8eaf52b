"""Mail that was never sent, to read on a page. Django's file back end writes it; files come and go at any moment."""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from pathlib import Path

BETWEEN = re.compile(rb"^-{79}\n", re.MULTILINE)  # the line that Django writes after each message


@dataclass(frozen=True)
class Letter:
    """One mail. `key` finds it again: the file and the place in it."""

    key: str
    to: str
    sender: str
    subject: str
    sent_at: datetime
    text: str
    html: str = ""


def letters(folder: Path) -> list[Letter]:
    """All mail in the folder, the latest first; what cannot be read is left out."""
    found = [letter for path in _files(folder) for letter in _in_file(path)]
    return sorted(found, key=lambda letter: (letter.sent_at, letter.key), reverse=True)


def find_letter(folder: Path, key: str) -> Letter | None:
    """The mail with this key, if it is still there."""
    return next((letter for letter in letters(folder) if letter.key == key), None)


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(folder.glob("*.log"))
    except OSError:
        return []


def _in_file(path: Path) -> Iterator[Letter]:
    with suppress(OSError):
        for number, part in enumerate(BETWEEN.split(path.read_bytes())):
            if part.strip():
                letter = _read(f"{path.stem}-{number}", part)
                if letter is not None:
                    yield letter


def _read(key: str, raw: bytes) -> Letter | None:
    message = message_from_bytes(raw, _class=EmailMessage, policy=policy.default)
    body, page = (message.get_body(preferencelist=(kind,)) for kind in ("plain", "html"))
    try:
        return Letter(
            key=key,
            to=str(message["To"]),
            sender=str(message["From"]),
            subject=str(message["Subject"]),
            sent_at=parsedate_to_datetime(str(message["Date"])),
            text=str(body.get_content()).strip() if body else "",
            html=str(page.get_content()).strip() if page else "",
        )
    except (ValueError, LookupError):  # half written, or not mail
        return None
