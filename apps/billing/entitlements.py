"""What an account may use: decisions kept as append-only snapshots, of which a request reads one row."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection

from apps.accounts.models import User
from apps.billing import plan_versions, plans
from apps.billing.access import (
    ALWAYS,
    NO_SUBSCRIPTION,
    NOT_PAID,
    Decision,
    Granted,
    Rules,
    Standing,
    Subscribed,
    decide,
)
from apps.billing.meters import Meter
from apps.billing.models import BillingAccount, EntitlementSnapshot, PlanVersion, SubscriptionMirror
from apps.billing.terms import Catalogue, PlanTerms
from apps.core import guards, rows

__all__ = ["NOT_PAID", "Decision", "Granted", "Rules", "Standing", "Subscribed", "decide"]

# Asked with every question: as text, since building a query costs ten times as much as asking it.
ACCOUNT = "SELECT {columns} FROM billing_billingaccount WHERE owner_id = %s"
IN_FORCE = """
    SELECT snapshot.source, snapshot.valid_until, version.terms
      FROM billing_entitlementsnapshot AS snapshot JOIN billing_planversion AS version
        ON version.id = snapshot.plan_version_id
     WHERE snapshot.account_id = %s ORDER BY snapshot.version DESC LIMIT 1
"""


@dataclass(frozen=True)
class InForce:
    """What an account has at one moment. `valid_until`: then time alone changes it."""

    terms: PlanTerms
    source: str
    valid_until: datetime | None = None


def account_for(user: User, *, now: datetime) -> BillingAccount:
    """The account of a person, made on first use. A guest's has the guest plan until they sign up."""
    account = rows.first(BillingAccount, ACCOUNT, [user.pk]) or _open_account(user, now=now)
    account.owner = user
    if account.is_guest and not user.is_guest:
        BillingAccount.objects.filter(pk=account.pk).update(is_guest=False)
        account.is_guest = False
    return account


def is_live() -> bool:
    """Whether money is real here: what the secret key says."""
    return settings.STRIPE_SECRET_KEY.startswith(("sk_live_", "rk_live_"))


def plan_for(account: BillingAccount, *, now: datetime) -> PlanTerms:
    """What the account may use now. One read, but for the rare moment in which the last snapshot has run out."""
    return in_force(account, now=now).terms


def in_force(account: BillingAccount, *, now: datetime) -> InForce:
    """What the account has now: the latest snapshot, or what the facts say once its time is over."""
    with connection.cursor() as cursor:
        cursor.execute(IN_FORCE, [account.pk])
        latest = cursor.fetchone()
    if latest is None:
        return InForce(_terms_without_payment(account), _default_source())
    source, valid_until, terms = latest
    if valid_until is not None and valid_until <= now:
        decision = decide_for(account, now=now)
        return InForce(_terms_for(decision, _latest(account)), decision.source, decision.valid_until)
    is_paid = source not in NOT_PAID
    return InForce(
        PlanTerms.from_json(json.loads(terms)) if is_paid else _terms_without_payment(account), source, valid_until
    )


def decide_for(account: BillingAccount, *, now: datetime) -> Decision:
    """Decide from the mirror and the grants as they stand. Reads only."""
    ours = account.subscriptions.filter(gone_at=None, plan__isnull=False).select_related("plan")
    subscriptions = [_subscribed(row) for row in ours]
    return decide(subscriptions, granted(account), standing_of(account), rules_of(plans.catalogue()), now=now)


def granted(account: BillingAccount) -> list[Granted]:
    """What staff gave the account and did not take back, over or to come as well."""
    rows = account.grants.standing().select_related("plan")
    return [Granted(row.plan.key, row.plan.rank, row.starts_at, row.ends_at) for row in rows]


def standing_of(account: BillingAccount) -> Standing:
    """What the account itself says about access."""
    return Standing(account.hold_reason, account.delinquent_since)


def rules_of(catalogue: Catalogue) -> Rules:
    """The part of the catalogue that decides about access."""
    return Rules(catalogue.mode, catalogue.default_plan, catalogue.grace_days, catalogue.policy, catalogue.never_held)


def refresh(account: BillingAccount, *, now: datetime) -> EntitlementSnapshot | None:
    """Decide anew and keep what differs; None when it says nothing new.

    Effect  a step; the caller holds the account's row.
    """
    return record(account, decide_for(account, now=now), now=now)


def record(account: BillingAccount, decision: Decision, *, now: datetime) -> EntitlementSnapshot | None:
    """Keep a decision where it differs from the one in force; None when it says nothing new.

    Effect  a step; the caller holds the account's row, so nobody else writes the next version.
    """
    guards.inside_transaction()
    latest = _latest(account)
    terms = _version_for(decision, latest, now=now)
    digest = _digest(decision, terms)
    if latest is not None and latest.inputs_hash == digest:
        return None
    if latest is None and decision.reason == NO_SUBSCRIPTION and decision.valid_until is None:
        return None  # never bought anything: there is nothing to remember
    return EntitlementSnapshot.objects.create(
        account=account,
        version=latest.version + 1 if latest else 1,
        plan_version=terms,
        source=decision.source,
        valid_from=now,
        valid_until=decision.valid_until,
        reason=decision.reason,
        inputs_hash=digest,
    )


def since(account: BillingAccount, *, now: datetime) -> datetime | None:
    """Since when the account has the terms it has now, without a break; None where no snapshot says so."""
    latest = _latest(account)
    if latest is None or latest.source in NOT_PAID or (latest.valid_until and latest.valid_until <= now):
        return None
    others = account.snapshots.exclude(plan_version=latest.plan_version)
    last_other = others.order_by("-version").values_list("version", flat=True).first() or 0
    first = account.snapshots.filter(version__gt=last_other).order_by("version").first()
    return first.valid_from if first else None


def find_subscription(account: BillingAccount) -> SubscriptionMirror | None:
    """The subscription a page speaks of: of the live ones, that to the highest plan."""
    found: SubscriptionMirror | None = account.subscriptions.live().order_by("-plan__rank", "-started_at").first()
    return found


def end_of(subscription: SubscriptionMirror | None) -> datetime | None:
    """When a subscription was asked to end; None when it goes on."""
    if subscription is None:
        return None
    return subscription.cancel_at or (subscription.current_period_end if subscription.cancel_at_period_end else None)


def loss_of(account: BillingAccount, has: InForce) -> datetime | None:
    """When time alone takes the plan away for a lesser one; None when nothing does that is known today."""
    moment = None if has.source in NOT_PAID else has.valid_until
    while moment is not None:
        decision = decide_for(account, now=moment)
        if decision.plan != has.terms.key:
            return moment if _terms_for(decision, None).rank < has.terms.rank else None
        moment = decision.valid_until
    return None


def lifting_plan(model: str, meter: Meter, above: int | None, *, window: timedelta | None = None) -> str | None:
    """The cheapest plan that gives more than `above` of a meter with a model; None when none does.

    window  of the limit that is in the way: what lifts 400 a week is 500 a week, not 300 every 3 hours. None: any.
    """
    if above is None:
        return None
    catalogue = plans.catalogue()
    sold = [plan for plan in catalogue.plans.values() if plan.prices and model in plan.models]
    fitting = [plan for plan in sold if _room(plan, model, meter, window) > above]
    cheapest = min(fitting, key=lambda plan: _price_a_month(plan, catalogue.currencies[0]), default=None)
    return cheapest.key if cheapest else None


def _open_account(user: User, *, now: datetime) -> BillingAccount:
    account, _is_new = BillingAccount.objects.get_or_create(
        owner=user, defaults={"created_at": now, "livemode": is_live(), "is_guest": user.is_guest}
    )
    return account


def _latest(account: BillingAccount) -> EntitlementSnapshot | None:
    return account.snapshots.select_related("plan_version").order_by("-version").first()


def _subscribed(row: SubscriptionMirror) -> Subscribed:
    assert row.plan is not None  # noqa: S101 the query leaves the others out
    return Subscribed(row.plan.key, row.plan.rank, row.status, row.current_period_end, row.is_collection_paused)


def _terms_without_payment(account: BillingAccount) -> PlanTerms:
    catalogue = plans.catalogue()
    return catalogue.guest_terms() if account.is_guest else catalogue.default_terms()


def _default_source() -> str:
    return decide((), (), Standing(), rules_of(plans.catalogue()), now=ALWAYS).source


def _terms_for(decision: Decision, latest: EntitlementSnapshot | None) -> PlanTerms:
    """The terms that a decision gives, without writing down that it does."""
    catalogue = plans.catalogue()
    if decision.source in NOT_PAID:
        return catalogue.default_terms()
    if latest is not None and _keeps_terms(decision, latest, catalogue):
        return PlanTerms.from_json(latest.plan_version.terms)
    if decision.plan in catalogue.plans:
        return catalogue.plans[decision.plan]
    return PlanTerms.from_json(PlanVersion.objects.filter(plan_id=decision.plan).latest("version").terms)


def _keeps_terms(decision: Decision, latest: EntitlementSnapshot, catalogue: Catalogue) -> bool:
    """Whether the catalogue lets those stay who have other terms of the plan already."""
    has_it = latest.plan_version.plan_id == decision.plan and latest.source not in NOT_PAID
    return has_it and not catalogue.moves_subscribers


def _version_for(decision: Decision, latest: EntitlementSnapshot | None, *, now: datetime) -> PlanVersion:
    """The terms to grant: the newest of the plan, or those the subscriber has, where the catalogue lets them stay."""
    catalogue = plans.catalogue()
    if latest is not None and _keeps_terms(decision, latest, catalogue):
        return latest.plan_version
    if decision.plan in catalogue.plans:
        return plan_versions.ensure(catalogue, catalogue.plans[decision.plan], now=now)[0]
    return PlanVersion.objects.filter(plan_id=decision.plan).latest("version")  # left the catalogue, still paid for


def _digest(decision: Decision, terms: PlanVersion) -> str:
    until = decision.valid_until.isoformat() if decision.valid_until else None
    words = [
        decision.plan,
        decision.source,
        decision.reason,
        until,
        None if decision.source in NOT_PAID else terms.digest,
    ]
    return hashlib.sha256(json.dumps(words).encode()).hexdigest()


def _room(plan: PlanTerms, model: str, meter: Meter, window: timedelta | None) -> float:
    """How much a plan gives of a meter in a window: infinite without a limit of it that ends, 0 without any limit."""
    if meter is Meter.CONCURRENCY:
        return plan.concurrency
    covering = [limit for limit in plan.limits if limit.covers(meter, model)]
    if not covering or any(limit.amount == 0 for limit in covering):
        return 0
    counted = [limit for limit in covering if window is None or limit.window == window]
    return min((limit.amount for limit in counted if limit.amount is not None), default=float("inf"))


def _price_a_month(plan: PlanTerms, currency: str) -> float:
    return plan.prices.get(("month", currency), plan.prices.get(("year", currency), 0) / 12)
