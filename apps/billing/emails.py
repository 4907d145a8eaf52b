"""The letters of billing: what they say, in the language of who gets them."""

from collections.abc import Callable, Mapping
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
from apps.core import guards, money

PLAN_STARTED = "plan_started"
PAYMENT_FAILED = "payment_failed"
SPENDING_ALERT = "spending_alert"
RECHARGED = "recharged"
RECHARGE_FAILED = "recharge_failed"
RECHARGE_MONTH_FULL = "recharge_month_full"


@dataclass(frozen=True)
class Letter:
    """One mail, ready to leave."""

    subject: str
    text: str


def compose(kind: str, facts: Mapping[str, str], reader: User) -> Letter:
    """Write a letter. Links lead to our own pages, never to an address that lets a stranger in."""
    with translation.override(reader.language or settings.LANGUAGE_CODE):
        words = {**facts, "name": reader.get_short_name(), "site_name": settings.SITE_NAME}
        if facts.get("until"):
            until = datetime.fromisoformat(facts["until"]).astimezone(ZoneInfo(reader.time_zone))
            words["until"] = formats.date_format(until, "DATE_FORMAT")
        words |= {name.removesuffix("_micro"): _amount(facts[name]) for name in facts if name.endswith("_micro")}
        words["settings_url"] = settings.SITE_URL + reverse("billing:plan")
        words["usage_url"] = f"{settings.SITE_URL}/settings/usage/"
        words["credit_url"] = f"{settings.SITE_URL}/settings/credit/"
        words["chat_url"] = settings.SITE_URL + settings.LOGIN_REDIRECT_URL
        return Letter(_subject(kind, facts), render_to_string(f"billing/mail/{kind}.txt", words))


def _subject(kind: str, facts: Mapping[str, str]) -> str:
    match kind:
        case "plan_started":
            return _("%(plan)s is on") % {"plan": facts["plan"]}
        case "payment_failed":
            return _("Your payment for %(plan)s did not go through") % {"plan": facts["plan"]}
        case "spending_alert" if facts["percent"] == "100":
            return _("Your spending cap for this month is reached")
        case "spending_alert":
            return _("%(percent)s %% of your spending cap is used") % {"percent": facts["percent"]}
        case "recharged" | "recharge_failed" | "recharge_month_full":
            return RECHARGE_SUBJECTS[kind]()
    raise ValueError(f"There is no letter of the kind {kind}.")


RECHARGE_SUBJECTS: Mapping[str, Callable[[], str]] = {
    RECHARGED: lambda: _("Your API credit was recharged"),
    RECHARGE_FAILED: lambda: _("Auto-recharge is off: your card was refused"),
    RECHARGE_MONTH_FULL: lambda: _("Auto-recharge has reached your maximum for this month"),
}


def _amount(micro: str) -> str:
    return formats.number_format(money.decimal_from_micro(int(micro)), decimal_pos=2, force_grouping=True)


def send(kind: str, facts: Mapping[str, str], reader: User) -> None:
    """Send a letter.

    Raises  OSError: the mail server does not answer (SMTP errors are among these).
    """
    guards.outside_transaction()
    letter = compose(kind, facts, reader)
    send_mail(letter.subject, letter.text, settings.DEFAULT_FROM_EMAIL, [reader.email])
