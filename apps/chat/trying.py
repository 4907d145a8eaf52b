"""Trying without an account: what a guest may send, and what counts it beside their plan."""

from datetime import datetime

from apps.accounts.models import User
from apps.billing import entitlements, plans
from apps.billing.meters import Meter
from apps.chat import prompting
from apps.inference import language_models, pricing
from apps.usage import guest_days, limits


def is_possible() -> bool:
    """Whether the catalogue gives guests messages with a model that is served here."""
    terms = plans.catalogue().guest_terms()
    offered = language_models.offered(terms)
    return any(limits.is_included(limits.Demand(terms, model.key, {Meter.MESSAGES: 1})) for model in offered)


def count(owner: User, address: str, model: str | None, *, now: datetime) -> None:
    """Count what a guest is about to send; people with an account are not counted here. An act.

    Raises  LimitReached: the address's day, or the whole site's, is used up.
    """
    if owner.is_guest:
        guest_days.take(address, _most_micro(owner, model, now=now), now=now)


def _most_micro(owner: User, key: str | None, *, now: datetime) -> int:
    """The most an answer can cost us, in millionths of the model's currency."""
    terms = entitlements.plan_for(entitlements.account_for(owner, now=now), now=now)
    offered = [model for model in language_models.offered(terms) if key in (None, model.key)]
    if not offered or offered[0].cost is None:
        return 0  # nothing will be called: the plan does not have it, or nobody knows what it costs
    output_tokens = prompting.longest_answer(terms, offered[0])
    return pricing.most_micro(offered[0].cost, terms.context_tokens, output_tokens)
