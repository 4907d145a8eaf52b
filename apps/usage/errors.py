"""Why a limit said no, in words: the same sentence for the page, the API and the log."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.utils import formats, timezone
from django.utils.functional import lazy
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.billing import credit_purchases, phrases, plans
from apps.billing.meters import LIMITED, Meter
from apps.billing.plans import Limit
from apps.core import money
from apps.core.errors import LimitReached, PaymentNeeded, Refusal, Refused

LIMIT_REACHED = "limit_reached"
TOO_MANY_AT_ONCE = "too_many_at_once"
NOT_INCLUDED = "not_included"
CREDIT_SPENT = "credit_spent"
SPENDING_CAP = "spending_cap_reached"  # the person's own, for the account
KEY_CAP = "key_cap_reached"  # the same for one API key
USAGE_CAP = "usage_cap_reached"  # … for what the month's end may charge, once credit is spent
CREDIT = "credit"  # what `lifted_by` says when no plan, but money, is missing
OWN_CAP = "spending_cap"  # … and when the person can lift it by a word
SLOT_WAIT_S = 5  # a slot is free as soon as an answer ends: nobody knows when


class LimitSpent(LimitReached):
    """A window is used up, or every slot is taken; `limit` is the one that said no, where it is still known."""

    def __init__(self, refusal: Refusal, limit: Limit | None = None) -> None:
        super().__init__(lazy_sentence(refusal), refusal)
        self.limit = limit

    def retry_after_s(self, *, now: datetime) -> int | None:
        return super().retry_after_s(now=now) or SLOT_WAIT_S


def limit_reached(refusal: Refusal, limit: Limit) -> LimitSpent:
    """Time lifts this: the end of the window, or of another answer."""
    return LimitSpent(refusal, limit)


def payment_needed(refusal: Refusal) -> PaymentNeeded:
    """Only a plan or credit lifts this."""
    return PaymentNeeded(lazy_sentence(refusal), refusal)


def explain(code: str, facts: Mapping[str, object] | None) -> str:
    """The sentence again, in the reader's language, from what a run stored of its refusal."""
    return sentence(read_refusal(code, facts or {}))


def refused_again(code: str, facts: Mapping[str, object]) -> Refused:
    """The error again, from what a run stored of it: for who asked and waited, in another process."""
    refusal = read_refusal(code, facts)
    return LimitSpent(refusal) if code in (LIMIT_REACHED, TOO_MANY_AT_ONCE) else payment_needed(refusal)


def read_refusal(code: str, facts: Mapping[str, object]) -> Refusal:
    """What `Refusal.facts` wrote, read back; what is missing or no fact is left out."""
    resets_at = facts.get("resets_at")
    return Refusal(
        code,
        limit=_whole(facts.get("limit")),
        used=_whole(facts.get("used")),
        resets_at=datetime.fromisoformat(resets_at) if isinstance(resets_at, str) else None,
        lifted_by=_text(facts.get("lifted_by")),
        meter=_text(facts.get("meter")),
        currency=_text(facts.get("currency")),
    )


def sentence(refusal: Refusal) -> str:
    """Say what is spent, when it comes back, and what lifts it at once."""
    parts = [_what(refusal)]
    if refusal.resets_at is not None:
        moment = formats.date_format(timezone.localtime(refusal.resets_at), "j F, H:i")
        zone = timezone.localtime(refusal.resets_at).tzname()
        parts.append(_("You can go on from %(moment)s %(zone)s.") % {"moment": moment, "zone": zone})
    if refusal.lifted_by == OWN_CAP:
        parts.append(_("You can raise this cap in your settings."))
    plan = plans.catalogue().plans.get(refusal.lifted_by or "")
    if plan is not None:
        parts.append(_("The %(plan)s plan gives you more right away.") % {"plan": plan.name})
    return " ".join(parts)


lazy_sentence = lazy(sentence, str)


def _what(refusal: Refusal) -> str:
    limit = refusal.limit or 0
    match refusal.code:
        case "credit_spent":
            return _credit_spent()
        case "too_many_at_once":
            return ngettext(
                "Your plan writes %(limit)d answer at a time: wait until it is finished, then send again.",
                "Your plan writes %(limit)d answers at a time: wait until one is finished, then send again.",
                limit,
            ) % {"limit": limit}
        case "not_included" if not limit:
            return _("Your plan does not include this.")
        case "spending_cap_reached" | "key_cap_reached" | "usage_cap_reached":
            return _what_cap(refusal) % {"amount": money_amount(limit, refusal.currency)}
    return _what_window(refusal) % {"amount": amount(limit, refusal.meter)}


def _credit_spent() -> str:
    if not plans.catalogue().sells or not plans.catalogue().developer.credit:
        return _("Your API credit does not cover this. Ask for a shorter answer (max_tokens), or for more credit.")
    url = settings.SITE_URL + credit_purchases.PAGE
    return _(
        "Your API credit does not cover this. Ask for a shorter answer (max_tokens), or buy credit at %(url)s; "
        "there it can also be recharged by itself."
    ) % {"url": url}


def _what_cap(refusal: Refusal) -> str:
    if refusal.code == USAGE_CAP:
        return _(
            "Your API credit is spent, and this could cost more than is left of the %(amount)s that you let be charged "
            "at the end of a month."
        )
    if refusal.code == KEY_CAP:
        return _("This could cost more than is left of the %(amount)s that you let this key spend in a month.")
    return _("This could cost more than is left of the %(amount)s that you let be spent in a month.")


def _what_window(refusal: Refusal) -> str:
    if refusal.code == NOT_INCLUDED:
        return _("This needs more than the %(amount)s your plan gives.")
    if refusal.used is not None and refusal.used < (refusal.limit or 0):
        return _("What is left of the %(amount)s your plan gives for now is not enough for this.")
    return _("You have used the %(amount)s your plan gives for now.")


def amount(number: int, meter: str | None) -> str:
    """A number with what it counts: “20 messages”; requests, where no meter of plans is named."""
    if meter in LIMITED:
        return phrases.count(Meter(meter), number)
    text = ngettext("%(number)s request", "%(number)s requests", number)
    return text % {"number": formats.number_format(number, use_l10n=True, force_grouping=True)}


def money_amount(micro: int, currency: str | None) -> str:
    """An amount as the API's pages write it: “5.00 USD”, and “0.0004 USD” where cents would say nothing."""
    digits = 2 if micro % money.MICRO_PER_MINOR == 0 else len(f"{micro % money.MICRO:06}".rstrip("0"))
    number = formats.number_format(Decimal(micro) / money.MICRO, decimal_pos=digits, use_l10n=True, force_grouping=True)
    return f"{number} {(currency or '').upper()}".strip()


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
