"""What an account may use: a pure decision over mirror, holds, policy and clock, kept as append-only snapshots."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings

from apps.accounts.models import User
from apps.billing import plan_versions, plans
from apps.billing.meters import Meter
from apps.billing.models import BillingAccount, EntitlementSnapshot, PlanVersion, SubscriptionMirror
from apps.billing.terms import Catalogue, Limit, PlanTerms
from apps.core import guards

Source = EntitlementSnapshot.Source
NO_SUBSCRIPTION = "no_subscription"
NOT_PAID = (Source.DEFAULT, Source.NONE)
ALWAYS = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Subscribed:
    """What the mirror says of one subscription to one of our plans."""

    plan: str
    rank: int
    status: str
    period_end: datetime | None = None
    is_collection_paused: bool = False


@dataclass(frozen=True)
class Standing:
    """What else of an account decides about access.

    hold_reason       not empty: the default plan, whatever is paid.
    delinquent_since  first failed attempt of the open invoice; grace counts from there.
    """

    hold_reason: str = ""
    delinquent_since: datetime | None = None


@dataclass(frozen=True)
class Rules:
    """What the catalogue says about access."""

    mode: str
    default_plan: str
    grace_days: int
    policy: Mapping[str, str]


@dataclass(frozen=True)
class Decision:
    """What an account may use. `valid_until`: then the default plan, without anybody doing anything."""

    plan: str
    source: str
    reason: str
    valid_until: datetime | None = None


def account_for(user: User, *, now: datetime) -> BillingAccount:
    """The account of a person, made on first use."""
    account, _is_new = BillingAccount.objects.get_or_create(
        owner=user, defaults={"created_at": now, "livemode": is_live()}
    )
    return account


def is_live() -> bool:
    """Whether money is real here: what the secret key says."""
    return settings.STRIPE_SECRET_KEY.startswith(("sk_live_", "rk_live_"))


def plan_for(account: BillingAccount, *, now: datetime) -> PlanTerms:
    """What the account may use now. One read; nothing was bought, or it ran out: the default plan."""
    return _terms_of(find_snapshot(account, now=now))


def find_snapshot(account: BillingAccount, *, now: datetime) -> EntitlementSnapshot | None:
    """The snapshot in force; None before the first, and when the last one ran out."""
    latest = account.snapshots.select_related("plan_version").order_by("-version").first()
    if latest is None or (latest.valid_until is not None and latest.valid_until <= now):
        return None
    return latest


def rules_of(catalogue: Catalogue) -> Rules:
    """The part of the catalogue that decides about access."""
    return Rules(catalogue.mode, catalogue.default_plan, catalogue.grace_days, catalogue.policy)


def decide(subscriptions: Iterable[Subscribed], standing: Standing, rules: Rules, *, now: datetime) -> Decision:
    """Decide about access. Pure: the same facts give the same answer. Several live plans: the highest rank."""
    subscriptions = list(subscriptions)
    if standing.hold_reason:
        return _default(rules, f"hold_{standing.hold_reason}")
    untils = ((_until(subscription, standing, rules), subscription) for subscription in subscriptions)
    granted = [(until, one) for until, one in untils if until is not None and until > now]
    if rules.mode == "internal" or not granted:
        return _default(rules, max((one.status for one in subscriptions), default=NO_SUBSCRIPTION))
    until, best = max(granted, key=_weight)
    source = Source.TRIAL if best.status == "trialing" else Source.SUBSCRIPTION
    return Decision(best.plan, source, best.status, None if until == ALWAYS else until)


def record(account: BillingAccount, decision: Decision, *, now: datetime) -> EntitlementSnapshot | None:
    """Keep a decision where it differs from the one in force; None when it says nothing new.

    Effect  a step; the caller holds the account's lease, so nobody else writes the next version.
    """
    guards.inside_transaction()
    latest = account.snapshots.select_related("plan_version").order_by("-version").first()
    terms = _version_for(decision, latest, now=now)
    digest = _digest(decision, terms)
    if latest is not None and latest.inputs_hash == digest:
        return None
    if latest is None and decision.reason == NO_SUBSCRIPTION:
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


def state_for(account: BillingAccount, *, now: datetime) -> dict[str, object]:
    """What a page may say of the account's plan now: access from the snapshot, payment from the mirror."""
    snapshot = find_snapshot(account, now=now)
    terms = _terms_of(snapshot)
    paid = find_subscription(account)
    ends_at = end_of(paid) or (snapshot.valid_until if snapshot else None)
    return {
        "plan": {"key": terms.key, "name": terms.name},
        "source": str(snapshot.source if snapshot else _default(rules_of(plans.catalogue()), "").source),
        "status": paid.status if paid else NO_SUBSCRIPTION,
        "renews_at": paid.current_period_end if paid and not ends_at else None,
        "ends_at": ends_at,
        "card": {"brand": paid.card_brand, "last4": paid.card_last4} if paid and paid.card_last4 else None,
        "is_confirming": account.sync_wanted_seq > account.sync_done_seq,
        "limits": [_limit_facts(limit) for limit in terms.limits],
    }


def find_subscription(account: BillingAccount) -> SubscriptionMirror | None:
    """The subscription a page speaks of: of the live ones, that to the highest plan."""
    found: SubscriptionMirror | None = account.subscriptions.live().order_by("-plan__rank", "-started_at").first()
    return found


def end_of(subscription: SubscriptionMirror | None) -> datetime | None:
    """When a subscription was asked to end; None when it goes on."""
    if subscription is None:
        return None
    return subscription.cancel_at or (subscription.current_period_end if subscription.cancel_at_period_end else None)


def lifting_plan(model: str, meter: Meter, above: int | None) -> str | None:
    """The cheapest plan that gives more than `above` of a meter with a model; None when none does."""
    if above is None:
        return None
    catalogue = plans.catalogue()
    sold = [plan for plan in catalogue.plans.values() if plan.prices and model in plan.models]
    fitting = [plan for plan in sold if _room(plan, model, meter) > above]
    cheapest = min(fitting, key=lambda plan: _price_a_month(plan, catalogue.currencies[0]), default=None)
    return cheapest.key if cheapest else None


def _until(subscription: Subscribed, standing: Standing, rules: Rules) -> datetime | None:
    """Until when a subscription gives its plan; None: it does not."""
    word = rules.policy.get(subscription.status, "default")
    if word == "grace":
        since = standing.delinquent_since
        return since + timedelta(days=rules.grace_days) if since else None
    if word != "plan":
        return None
    if subscription.is_collection_paused and rules.policy["paused_collection"] != "keep":
        return subscription.period_end
    return ALWAYS


def _weight(granted: tuple[datetime, Subscribed]) -> tuple[object, ...]:
    """Which of several subscriptions counts: the most, the longest, the paid one; never the order they came in."""
    until, one = granted
    return one.rank, until, one.status != "trialing", one.plan, one.status


def _default(rules: Rules, reason: str) -> Decision:
    source = Source.NONE if rules.mode == "paid_only" else Source.DEFAULT
    return Decision(rules.default_plan, source, reason)


def _terms_of(snapshot: EntitlementSnapshot | None) -> PlanTerms:
    if snapshot is None or snapshot.source in NOT_PAID:
        return plans.catalogue().default_terms()
    return PlanTerms.from_json(snapshot.plan_version.terms)


def _version_for(decision: Decision, latest: EntitlementSnapshot | None, *, now: datetime) -> PlanVersion:
    """The terms to grant: the newest of the plan, or those the subscriber has, where the catalogue lets them stay."""
    catalogue = plans.catalogue()
    has_it = latest is not None and latest.plan_version.plan_id == decision.plan and latest.source not in NOT_PAID
    if latest is not None and has_it and not catalogue.moves_subscribers:
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


def _limit_facts(limit: Limit) -> dict[str, object]:
    window_s = int(limit.window.total_seconds()) if limit.window else None
    return {"meter": str(limit.meter), "models": limit.models, "amount": limit.amount, "window_s": window_s}


def _room(plan: PlanTerms, model: str, meter: Meter) -> float:
    """How much a plan gives of a meter: the tightest of its limits; infinite without one that ends, 0 without any."""
    if meter is Meter.CONCURRENCY:
        return plan.concurrency
    amounts = [limit.amount for limit in plan.limits if limit.covers(meter, model)]
    return min((float("inf") if amount is None else amount for amount in amounts), default=0)


def _price_a_month(plan: PlanTerms, currency: str) -> float:
    return plan.prices.get(("month", currency), plan.prices.get(("year", currency), 0) / 12)
