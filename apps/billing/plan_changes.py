"""Changing a plan: what it costs is shown first, then the person agrees, then Stripe is asked, once."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from apps.billing import change_requests, leases, plan_choices, quotes, stripe_gateway
from apps.billing.errors import ChangeUnderWay, MissingAtStripe, PlanMoved
from apps.billing.models import BillingAccount, PlanChange
from apps.billing.plan_choices import Choice, Holding
from apps.billing.quotes import Quote
from apps.core.errors import CauserieError, Missing

Kind, State = PlanChange.Kind, PlanChange.State
OFFER_LASTS = timedelta(minutes=10)
NOT_THERE = _("This change is not there.")
Clock = Callable[[], datetime]


def offer(account: BillingAccount, plan: str, interval: str, *, now: datetime) -> PlanChange:
    """Ask Stripe what a change would cost, and keep the answer to be shown. It replaces what was offered before.

    Effect  the network, then an act.
    Raises  NothingToChange, NotOnSale, NotOnSaleYet, AlreadyOnPlan, ChangeBlocked, PaymentsAway, PaymentRefused.
    """
    holding, choice = plan_choices.choose(account, plan, interval)
    moment = _moment(holding, now=now)
    try:
        quote = quotes.ask(holding, choice, stripe_gateway.patient(), moment=moment)
    except MissingAtStripe as error:
        raise _moved(account) from error
    return _keep_offer(holding, choice, quote, moment, now=now)


def agree(account: BillingAccount, change_id: UUID, *, clock: Clock) -> PlanChange:
    """Do what was offered; where that is over or costs something else by now, give the new offer instead.

    Effect  the network and acts. A second click gives the same change as it is by then.
    Raises  Missing, ChangeUnderWay, PlanMoved, PaymentsAway; what `offer` raises.
    """
    change = find(account, change_id)
    if change.state != State.OFFERED:
        return change
    try:
        fresh = _fresh(account, change, now=clock())
    except CauserieError:
        clicked = _clicked(account, change_id)
        if clicked is None:
            raise
        return clicked
    if fresh is not None:
        return _clicked(account, change_id) or fresh
    try:
        with transaction.atomic(durable=True):
            PlanChange.objects.offered().filter(pk=change.pk).update(state=State.AGREED, agreed_at=clock())
    except IntegrityError as error:
        raise ChangeUnderWay from error
    return change_requests.send(find(account, change_id), stripe_gateway.patient(), clock=clock)


def keep(account: BillingAccount, *, clock: Clock) -> PlanChange:
    """Undo the change that is planned.

    Effect  the network and acts.
    Raises  NothingToChange: none is planned; ChangeUnderWay, PaymentsAway.
    """
    subscription = plan_choices.holding_of(account).subscription
    if not subscription.has_schedule:
        raise PlanMoved
    return change_requests.begin(account, subscription, Kind.KEEP, clock=clock)


def drop(account: BillingAccount, *, clock: Clock) -> PlanChange:
    """Give up the change that waits for its payment, whoever asked for it.

    Effect  the network and acts. Paid at the same moment, it stays, and the answer has lapsed.
    Raises  NothingToChange; PlanMoved: none waits any more; ChangeUnderWay, PaymentsAway.
    """
    subscription = plan_choices.holding_of(account).subscription
    if subscription.pending_price is None:
        raise PlanMoved
    return change_requests.begin(account, subscription, Kind.DROP, clock=clock, to_price=subscription.pending_price)


def find(account: BillingAccount, change_id: UUID) -> PlanChange:
    """One change of the account.

    Raises  Missing: not there, or not the account's.
    """
    rows = account.plan_changes.select_related("subscription", "to_price__plan")
    change: PlanChange | None = rows.filter(pk=change_id).first()
    if change is None:
        raise Missing(NOT_THERE)
    return change


def _clicked(account: BillingAccount, change_id: UUID) -> PlanChange | None:
    """The change, where another click agreed to it while we asked Stripe what it costs: then nothing is offered."""
    change = find(account, change_id)
    return None if change.state in (State.OFFERED, State.LAPSED) else change


def _fresh(account: BillingAccount, change: PlanChange, *, now: datetime) -> PlanChange | None:
    """Another offer, where this one is over or no longer true; None where it may be agreed to."""
    assert change.to_price is not None and change.to_price.plan_id and change.prorated_at  # noqa: S101, PT018 offers have them
    plan, interval = change.to_price.plan_id, change.to_price.interval
    if change.created_at < now - OFFER_LASTS:
        return offer(account, plan, interval, now=now)
    holding, choice = plan_choices.choose(account, plan, interval)
    gateway = stripe_gateway.patient()
    try:
        if not gateway.is_as_mirrored(holding.subscription.pk, holding.item.pk, holding.price.pk):
            raise _moved(account)
        quote = quotes.ask(holding, choice, gateway, moment=change.prorated_at)
    except MissingAtStripe as error:
        raise _moved(account) from error
    if choice.price == change.to_price and choice.kind == change.kind and quote == Quote.from_json(change.quote):
        return None
    return _keep_offer(holding, choice, quote, change.prorated_at, now=now)


def _keep_offer(holding: Holding, choice: Choice, quote: Quote, moment: datetime, *, now: datetime) -> PlanChange:
    account_id = holding.subscription.account_id
    with transaction.atomic(durable=True):
        account = BillingAccount.objects.select_for_update(no_key=True).get(pk=account_id)
        account.plan_changes.offered().update(state=State.LAPSED)
        return PlanChange.objects.create(
            account=account,
            subscription=holding.subscription,
            kind=choice.kind,
            state=State.OFFERED,
            to_price=choice.price,
            quote=quote.as_json(),
            prorated_at=moment,
            takes_effect_at=quote.renews_at if choice.kind == Kind.LATER else None,
            created_at=now,
        )


def _moment(holding: Holding, *, now: datetime) -> datetime:
    """Whole seconds, as Stripe counts, and not before the period began, however clocks differ."""
    began = holding.item.period_start
    return max(now.replace(microsecond=0), began) if began else now.replace(microsecond=0)


def _moved(account: BillingAccount) -> PlanMoved:
    """Something else happened at Stripe: the next sync finds what."""
    with transaction.atomic(durable=True):
        leases.want_sync(account.pk)
    return PlanMoved()
