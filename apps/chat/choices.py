"""The models a person may choose from, and which plan has those that theirs does not."""

from dataclasses import dataclass
from datetime import datetime

from apps.accounts.models import User
from apps.billing import entitlements
from apps.billing.meters import Meter
from apps.chat import personalization
from apps.inference import language_models


@dataclass(frozen=True)
class Choice:
    """One model.

    is_default  the person wants to begin with it
    lifted_by   key of the cheapest plan that has it, None when the person's does or no plan has
    """

    key: str
    name: str
    is_included: bool
    is_default: bool
    lifted_by: str | None


def list_choices(user: User, *, now: datetime) -> list[Choice]:
    """Every model that something here serves, in the catalogue's order."""
    preferred = personalization.preferred_model(user)
    plan = entitlements.plan_for(entitlements.account_for(user, now=now), now=now)
    return [
        Choice(
            key=model.key,
            name=model.name,
            is_included=model.key in plan.models,
            is_default=model.key == preferred and model.key in plan.models,
            lifted_by=None if model.key in plan.models else entitlements.lifting_plan(model.key, Meter.MESSAGES, 0),
        )
        for model in language_models.offered()
    ]
