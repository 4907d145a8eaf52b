"""What changes of a plan are called, and what became of them, in words."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils import formats
from django.utils.translation import gettext as _

from apps.billing import offers
from apps.billing.models import PlanChange
from apps.billing.plan_choices import Choice, Holding

Kind, State = PlanChange.Kind, PlanChange.State


@dataclass(frozen=True)
class ChoiceWords:
    """One thing a subscriber may change to, as the page shows it."""

    plan: str
    name: str
    interval: str
    price: str
    is_now: bool
    starts_at: datetime | None  # of what does not happen at once


def choice(choice: Choice, holding: Holding) -> ChoiceWords:
    """Put a choice into words."""
    is_now = choice.kind == Kind.NOW
    return ChoiceWords(
        plan=choice.terms.key,
        name=choice.terms.name,
        interval=choice.price.interval,
        price=offers.price_in_words(choice.price),
        is_now=is_now,
        starts_at=None if is_now else holding.subscription.current_period_end,
    )


def done(change: PlanChange) -> str:
    """Say what is true now that a change is done."""
    words = {
        Kind.NOW: _("%(plan)s is on. Its limits count from now."),
        Kind.LATER: _("You change to %(plan)s on %(date)s. Until then everything stays as it is."),
        Kind.KEEP: _("The planned change is off. You keep your plan."),
        Kind.CANCEL: _("Your plan ends on %(date)s. Until then everything stays as it is."),
        Kind.RESUME: _("Your plan goes on. It renews as before."),
        Kind.DROP: _("The change to %(plan)s is dropped. Nothing was charged, and you keep the plan you have."),
    }
    return words[Kind(change.kind)] % {"plan": _plan(change), "date": _date(change)}


def not_dropped(change: PlanChange) -> str:
    """Say what became of a change that was to be dropped and was not."""
    words = _("%(plan)s was paid at the same moment, so the change was not dropped. %(plan)s is on.")
    if change.subscription.pending_price_id == change.to_price_id:
        words = _("The change to %(plan)s could not be dropped and still waits. Nothing was charged. Please try again.")
    return words % {"plan": _plan(change)}


def why_unpaid(change: PlanChange) -> str:
    """Say why a change waits for its payment."""
    if change.state != State.UNPAID:
        return ""
    words = {
        "requires_action": _("Your bank wants you to confirm this payment."),
        "authentication_required": _("Your bank wants you to confirm this payment."),
        "insufficient_funds": _("Your card does not have enough money on it."),
        "expired_card": _("Your card has expired."),
    }
    return words.get(change.error, _("Your card was declined."))


def _plan(change: PlanChange) -> str:
    return change.to_price.plan.name if change.to_price and change.to_price.plan else ""


def _date(change: PlanChange) -> str:
    if change.takes_effect_at is None:
        return ""
    zone = ZoneInfo(change.account.owner.time_zone)
    return formats.date_format(change.takes_effect_at.astimezone(zone), "j F Y")
