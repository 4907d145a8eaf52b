"""Ending a plan with its period, and taking that back before it happens."""

from collections.abc import Callable
from datetime import datetime

from apps.billing import change_requests, entitlements, plan_choices
from apps.billing.errors import PlanMoved
from apps.billing.models import BillingAccount, PlanChange, SubscriptionMirror

Kind = PlanChange.Kind
Clock = Callable[[], datetime]


def end_at(subscription: SubscriptionMirror) -> datetime | None:
    """Until when everything stays if it is canceled now."""
    return subscription.trial_end if subscription.status == "trialing" else subscription.current_period_end


def cancel(account: BillingAccount, feedback: str, comment: str, *, clock: Clock) -> PlanChange:
    """End the plan with the period that is paid; a change that was planned goes with it.

    feedback  Stripe's word for why, or nothing; `comment`: the person's own words.
    Effect    the network and acts.
    Raises    NothingToChange, PlanMoved: it ends already; ChangeUnderWay.
    """
    subscription = plan_choices.holding_of(account).subscription
    if entitlements.end_of(subscription) is not None:
        raise PlanMoved
    more = {"feedback": feedback, "comment": comment, "takes_effect_at": end_at(subscription)}
    return change_requests.begin(account, subscription, Kind.CANCEL, clock=clock, **more)


def resume(account: BillingAccount, *, clock: Clock) -> PlanChange:
    """Let a plan that would end go on.

    Effect  the network and acts.
    Raises  NothingToChange: it has ended; PlanMoved: it goes on already; ChangeUnderWay.
    """
    subscription = plan_choices.holding_of(account).subscription
    if entitlements.end_of(subscription) is None:
        raise PlanMoved
    return change_requests.begin(account, subscription, Kind.RESUME, clock=clock)
