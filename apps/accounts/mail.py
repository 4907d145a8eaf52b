"""How a mail of ours looks: text, and a page made of that text with the one layout that all mails share."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import translation

from apps.core import guards

# The colours of tokens.css as numbers: mail programs know neither variables nor oklch().
LIGHT: Mapping[str, str] = MappingProxyType(
    {
        "paper": "#fbf9f6",
        "surface": "#fffefd",
        "line": "#dfdcd6",
        "ink": "#29231e",
        "muted": "#615b54",
        "accent": "#016161",
        "on_accent": "#f8fdfc",
    }
)
DARK: Mapping[str, str] = MappingProxyType(
    {
        "paper": "#171514",
        "surface": "#201d1b",
        "line": "#3a3734",
        "ink": "#e9e6e0",
        "muted": "#ada9a2",
        "accent": "#70cbc5",
        "on_accent": "#031a1a",
    }
)
SIGNATURE = "\n--\n"
CODE = re.compile(r"[A-Z0-9-]{4,12}")
LINK = re.compile(r"https?://\S+")


@dataclass(frozen=True)
class Part:
    """A paragraph of a mail; `kind` is text, code (to be typed) or link (to be followed)."""

    kind: str
    text: str


def send(to: str, subject: str, text: str, html: str, *, stop_url: str = "") -> None:
    """Send one mail.

    stop_url  of a mail that its reader may do without: mail programs show a button for it (RFC 8058).

    Raises  OSError: the mail server does not answer (SMTP errors are among these).
    """
    guards.outside_transaction()
    ways = {"List-Unsubscribe": f"<{stop_url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    mail = EmailMultiAlternatives(subject, text, settings.DEFAULT_FROM_EMAIL, [to], headers=ways if stop_url else None)
    mail.attach_alternative(html, "text/html")
    mail.send()


def page_of(subject: str, text: str, language: str) -> str:
    """The mail as a page: the same words; a code stands large, a link alone on its line becomes a button."""
    words = {
        "subject": subject,
        "language": language,
        "parts": list(parts_of(text)),
        "light": LIGHT,
        "dark": DARK,
        "site_name": settings.SITE_NAME,
        "site_url": settings.SITE_URL,
    }
    with translation.override(language):
        return render_to_string("accounts/mail/page.html", words)


def parts_of(text: str) -> Iterator[Part]:
    """The paragraphs of a text, without its signature."""
    body, _signature, _rest = f"{text}\n".partition(SIGNATURE)
    for paragraph in re.split(r"\n\s*\n", body):
        words = paragraph.strip()
        if CODE.fullmatch(words):
            yield Part("code", words)
        elif LINK.fullmatch(words):
            yield Part("link", words)
        elif words:
            yield Part("text", words)
