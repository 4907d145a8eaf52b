"""What an account may use, as a pure decision over mirror, grants, holds, policy and clock."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from apps.billing.models import EntitlementSnapshot

Source = EntitlementSnapshot.Source
NO_SUBSCRIPTION = "no_subscription"
GRANTED = "granted"
NOT_PAID = (Source.DEFAULT, Source.NONE)
ALWAYS = datetime.max.replace(tzinfo=UTC)
Weight = tuple[int, bool, datetime, bool, str, str]


@dataclass(frozen=True)
class Subscribed:
    """What the mirror says of one subscription to one of our plans."""

    plan: str
    rank: int
    status: str
    period_end: datetime | None = None
    is_collection_paused: bool = False


@dataclass(frozen=True)
class Granted:
    """A plan that staff gave and did not take back. `ends_at` None: it has no end."""

    plan: str
    rank: int
    starts_at: datetime
    ends_at: datetime | None = None


@dataclass(frozen=True)
class Standing:
    """What else of an account decides about access.

    hold_reason       not empty: the default plan, whatever is paid or granted.
    delinquent_since  first failed attempt of the open invoice; grace counts from there.
    """

    hold_reason: str = ""
    delinquent_since: datetime | None = None


@dataclass(frozen=True)
class Rules:
    """What the catalogue says about access. `never_held`: plans that no account is ever on."""

    mode: str
    default_plan: str
    grace_days: int
    policy: Mapping[str, str]
    never_held: tuple[str, ...] = ()


@dataclass(frozen=True)
class Decision:
    """What an account may use. `valid_until`: the next moment at which the same facts say something else."""

    plan: str
    source: str
    reason: str
    valid_until: datetime | None = None


@dataclass(frozen=True)
class _Facts:
    subscriptions: tuple[Subscribed, ...]
    grants: tuple[Granted, ...]
    standing: Standing
    rules: Rules


def decide(
    subscriptions: Iterable[Subscribed],
    grants: Iterable[Granted],
    standing: Standing,
    rules: Rules,
    *,
    now: datetime,
) -> Decision:
    """Decide about access. Pure: the same facts give the same answer, in whatever order they come.

    The highest rank counts; of equal ranks a subscription before a grant. A hold counts before everything.
    """
    facts = _Facts(
        tuple(one for one in subscriptions if one.plan not in rules.never_held),
        tuple(one for one in grants if one.plan not in rules.never_held),
        standing,
        rules,
    )
    answer = _answer(facts, now)
    later = sorted(moment for moment in _moments(facts) if moment > now)
    return replace(answer, valid_until=next((moment for moment in later if _answer(facts, moment) != answer), None))


def _answer(facts: _Facts, now: datetime) -> Decision:
    rules = facts.rules
    if facts.standing.hold_reason:
        return _default(rules, f"hold_{facts.standing.hold_reason}")
    claims = dict([*_subscription_claims(facts, now), *_grant_claims(facts, now)])
    if rules.mode == "internal" or not claims:
        return _default(rules, max((one.status for one in facts.subscriptions), default=NO_SUBSCRIPTION))
    return claims[max(claims)]


def _subscription_claims(facts: _Facts, now: datetime) -> Iterator[tuple[Weight, Decision]]:
    """What each subscription gives now, with what it weighs: the most, the longest, the paid one; never its place."""
    for one in facts.subscriptions:
        until = _until(one, facts.standing, facts.rules)
        if until is not None and until > now:
            is_trial = one.status == "trialing"
            source = Source.TRIAL if is_trial else Source.SUBSCRIPTION
            yield (one.rank, True, until, not is_trial, one.plan, one.status), Decision(one.plan, source, one.status)


def _grant_claims(facts: _Facts, now: datetime) -> Iterator[tuple[Weight, Decision]]:
    for one in facts.grants:
        until = one.ends_at or ALWAYS
        if one.starts_at <= now < until:
            source = Source.GRANT if one.ends_at else Source.MANUAL
            yield (one.rank, False, until, True, one.plan, ""), Decision(one.plan, source, GRANTED)


def _moments(facts: _Facts) -> Iterator[datetime]:
    """When time alone may change the answer."""
    for subscription in facts.subscriptions:
        until = _until(subscription, facts.standing, facts.rules)
        if until is not None and until != ALWAYS:
            yield until
    for grant in facts.grants:
        yield grant.starts_at
        if grant.ends_at is not None:
            yield grant.ends_at


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


def _default(rules: Rules, reason: str) -> Decision:
    source = Source.NONE if rules.mode == "paid_only" else Source.DEFAULT
    return Decision(rules.default_plan, source, reason)
