"""The letters of billing: what they say, in the language of who gets them.

Each has one template, which says subject, words and the one thing to do; the two layouts make text and HTML of it.
What a letter is told are texts by name: `…_minor` is an amount in `currency`, `…_micro` one in micro-units, and the
names in INSTANTS are instants.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import formats, translation
from django.utils.translation import gettext as _

from apps.accounts import mail, notifications
from apps.accounts.models import User
from apps.billing import offers, plans
from apps.core import money

PLAN_STARTED, PLAN_CHANGED, CHANGE_PLANNED = "plan_started", "plan_changed", "change_planned"
PLAN_ENDING, PLAN_RESUMED, PLAN_ENDED = "plan_ending", "plan_resumed", "plan_ended"
PAYMENT_FAILED, ACTION_REQUIRED, GRACE_ENDING = "payment_failed", "action_required", "grace_ending"
PLAN_LOST, PAYMENT_RECOVERED, PLAN_HELD = "plan_lost", "payment_recovered", "plan_held"
RECEIPT, REFUND_MADE = "receipt", "refund_made"
TRIAL_ENDING, RENEWAL_REMINDER, CARD_EXPIRING = "trial_ending", "renewal_reminder", "card_expiring"
PRICE_MOVE, SPENDING_ALERT, LIMIT_REACHED = "price_move", "spending_alert", "limit_reached"
RECHARGED, RECHARGE_FAILED, RECHARGE_MONTH_FULL = "recharged", "recharge_failed", "recharge_month_full"
DAYS = ("until", "starts", "trial_end", "paid_at", "period_start", "period_end")
INSTANTS = {**dict.fromkeys(DAYS, "DATE_FORMAT"), "resets_at": "DATETIME_FORMAT"}
TEXT, HTML, SUBJECT = "billing/mail/_letter.txt", "billing/mail/_letter.html", "billing/mail/_subject.txt"
# Letters that their reader may do without.
OPTIONAL = {SPENDING_ALERT: notifications.SPENDING, LIMIT_REACHED: notifications.LIMITS}
EMPTY = re.compile(r"\s*<p(?: [^>]*)?>\s*</p>")  # a paragraph that this letter does not need


@dataclass(frozen=True)
class Letter:
    """One mail, ready to leave."""

    subject: str
    text: str
    html: str


def compose(kind: str, facts: Mapping[str, str], reader: User) -> Letter:
    """Write a letter. Links lead to our own pages, never to an address that lets a stranger in.

    The one exception is `action_url`: where the bank wants its customer to confirm a payment, no page of ours helps.
    """
    language = reader.language or settings.LANGUAGE_CODE
    with translation.override(language):
        words = {**_words(facts, ZoneInfo(reader.time_zone)), "name": reader.get_short_name(), "language": language}
        words |= {**_places(), "light": mail.LIGHT, "dark": mail.DARK, "stop_url": _stop_url(kind, reader)}
        if kind == RECEIPT:
            words["rows"] = list(_receipt_rows(words))
        subject = " ".join(_render(kind, SUBJECT, words).split())
        text = re.sub(r"\s*\n\s*\n\s*", "\n\n", _render(kind, TEXT, words)).strip() + "\n"
        return Letter(subject, text, EMPTY.sub("", _render(kind, HTML, {**words, "subject": subject})))


def send(kind: str, facts: Mapping[str, str], reader: User) -> None:
    """Send a letter.

    Raises  OSError: the mail server does not answer (SMTP errors are among these).
    """
    letter = compose(kind, facts, reader)
    mail.send(reader.email, letter.subject, letter.text, letter.html, stop_url=_stop_url(kind, reader))


def _stop_url(kind: str, reader: User) -> str:
    return notifications.stop_url(reader, OPTIONAL[kind]) if kind in OPTIONAL else ""


def _render(kind: str, layout: str, words: Mapping[str, object]) -> str:
    return render_to_string(f"billing/mail/{kind}.txt", {**words, "layout": layout})


def _words(facts: Mapping[str, str], zone: ZoneInfo) -> dict[str, object]:
    """What the templates show: amounts and days as people write them."""
    words: dict[str, object] = {**facts}
    for name, value in facts.items():
        if name in INSTANTS and value:
            words[name] = formats.date_format(datetime.fromisoformat(value).astimezone(zone), INSTANTS[name])
        elif name.endswith("_minor"):
            words[name.removesuffix("_minor")] = offers.money(int(value), facts["currency"])
        elif name.endswith("_micro"):
            words[name.removesuffix("_micro")] = _amount(value)
    if "interval" in facts:
        words["per"] = offers.per(facts["interval"])
    if facts.get("last4"):
        words["card"] = f"{facts.get('brand', '').title()} •••• {facts['last4']}"
    if "expiry" in facts:
        words["expiry"] = formats.date_format(date.fromisoformat(f"{facts['expiry']}-01"), "YEAR_MONTH_FORMAT")
    return words


def _places() -> dict[str, str]:
    catalogue = plans.catalogue()
    return {
        "site_name": settings.SITE_NAME,
        "site_url": settings.SITE_URL,
        "settings_url": settings.SITE_URL + reverse("billing:plan"),
        "pay_url": settings.SITE_URL + reverse("billing:pay"),
        "pricing_url": settings.SITE_URL + reverse("billing:pricing"),
        "usage_url": f"{settings.SITE_URL}/settings/usage/",
        "credit_url": f"{settings.SITE_URL}/settings/credit/",
        "chat_url": settings.SITE_URL + settings.LOGIN_REDIRECT_URL,
        "fallback": catalogue.plans[catalogue.default_plan].name,
    }


def _receipt_rows(words: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    yield _("Amount"), words["amount"]
    yield _("Paid on"), words["paid_at"]
    if words.get("number"):
        yield _("Invoice"), words["number"]
    if words.get("what"):
        yield _("For"), words["what"]
    elif "is_credit" in words:
        yield _("For"), _("API credit") if words["is_credit"] else _("API usage")
    if words.get("period_end") and words.get("period_start") != words["period_end"]:  # what is bought at once has none
        yield _("Period"), f"{words['period_start']} – {words['period_end']}"
    if words.get("card"):
        yield _("Card"), words["card"]


def _amount(micro: str) -> str:
    return formats.number_format(money.decimal_from_micro(int(micro)), decimal_pos=2, force_grouping=True)
