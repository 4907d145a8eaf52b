"""The letters of billing: what they say, in the language of who gets them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import formats, translation
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.core import guards

PLAN_STARTED = "plan_started"
PAYMENT_FAILED = "payment_failed"


@dataclass(frozen=True)
class Letter:
    """One mail, ready to leave."""

    subject: str
    text: str


def compose(kind: str, facts: Mapping[str, str], reader: User) -> Letter:
    """Write a letter. Links lead to our own pages, never to an address that lets a stranger in."""
    with translation.override(reader.language or settings.LANGUAGE_CODE):
        subjects = {
            PLAN_STARTED: _("%(plan)s is on") % {"plan": facts["plan"]},
            PAYMENT_FAILED: _("Your payment for %(plan)s did not go through") % {"plan": facts["plan"]},
        }
        words = {**facts, "name": reader.get_short_name(), "site_name": settings.SITE_NAME}
        if facts.get("until"):
            until = datetime.fromisoformat(facts["until"]).astimezone(ZoneInfo(reader.time_zone))
            words["until"] = formats.date_format(until, "DATE_FORMAT")
        words["settings_url"] = settings.SITE_URL + reverse("billing:plan")
        words["chat_url"] = settings.SITE_URL + settings.LOGIN_REDIRECT_URL
        return Letter(subjects[kind], render_to_string(f"billing/mail/{kind}.txt", words))


def send(kind: str, facts: Mapping[str, str], reader: User) -> None:
    """Send a letter.

    Raises  OSError: the mail server does not answer (SMTP errors are among these).
    """
    guards.outside_transaction()
    letter = compose(kind, facts, reader)
    send_mail(letter.subject, letter.text, settings.DEFAULT_FROM_EMAIL, [reader.email])
