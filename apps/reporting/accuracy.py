"""Whether the reports say what Stripe and our own rows say: compared every night, each difference kept and shown."""

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Q, Sum
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.billing import differences, stripe_totals
from apps.billing.differences import Difference
from apps.billing.errors import PaymentsAway
from apps.billing.models import (
    BillingAccount,
    DriftItem,
    FormerCustomer,
    PaymentMirror,
    RefundMirror,
    SubscriptionState,
)
from apps.billing.stripe_gateway import Gateway
from apps.billing.stripe_totals import Amount
from apps.core.money import micro_from_minor
from apps.reporting import days, fill, population
from apps.reporting.bridge import STEPS
from apps.reporting.days import BEGINNING, ONE_DAY, Period
from apps.reporting.metrics.earnings import earned_by_account
from apps.reporting.metrics.families import FAMILIES
from apps.reporting.metrics.revenue import states_in_force
from apps.reporting.models import AccuracyCheck, MetricDay

log = structlog.get_logger(__name__)
ON_ITS_WAY = timedelta(minutes=10)  # a change younger than that may be known at one end only
SAMPLED_DAYS, DRIFT_SHOWN = 3, 50
DRIFT = "report"  # … and the name of the check: the kind of a difference
Sums = Mapping[str, int]  # currency → micro-units; no currency: a number


class _NotYet(Exception):
    """Facts that are to be compared wait to be computed again."""


@dataclass(frozen=True)
class Check:
    """One comparison: what is compared, with what, and how to work it out."""

    name: str
    title: Promise
    meaning: Promise
    compare: Callable[[Gateway, datetime], tuple[Sums, Sums]]  # ours, and theirs
    is_money: bool = True


def check_all(gateway: Gateway, *, now: datetime) -> int:
    """Compare everything and keep what was found; say how many comparisons differ.

    Effect  an act for each comparison. Repeat: the latest result stands. Where Stripe cannot be asked, or facts
            wait to be computed again, a comparison keeps its last result, which says when that was.
    """
    for check in CHECKS:
        try:
            ours, theirs = check.compare(gateway, now)
        except (PaymentsAway, _NotYet):
            log.info("reporting.accuracy_later", check=check.name)
            continue
        _keep(check, ours, theirs, now=now)
    return count_differing()


def read_results() -> list[tuple[Check, list[AccuracyCheck]]]:
    """Each comparison with its last results, one for each currency."""
    rows = list(AccuracyCheck.objects.order_by("currency"))
    return [(check, [row for row in rows if row.name == check.name]) for check in CHECKS]


def count_differing() -> int:
    """How many of the last results differ."""
    return sum(1 for row in AccuracyCheck.objects.all() if not row.agrees)


def list_drift() -> list[DriftItem]:
    """What is open between Stripe and us, the serious first, then the oldest; at most so many."""
    return list(DriftItem.objects.filter(fixed_at=None).order_by("severity", "first_seen", "pk")[:DRIFT_SHOWN])


def _keep(check: Check, ours: Sums, theirs: Sums, *, now: datetime) -> None:
    kind = f"{DRIFT}_{check.name}"
    with transaction.atomic(durable=True):
        AccuracyCheck.objects.filter(name=check.name).exclude(currency__in={*ours, *theirs}).delete()
        for currency in sorted({*ours, *theirs}):
            one, other = ours.get(currency, 0), theirs.get(currency, 0)
            facts = {"ours": one, "theirs": other, "checked_at": now}
            AccuracyCheck.objects.update_or_create(name=check.name, currency=currency, defaults=facts)
            if one != other:
                differences.see(Difference(kind, currency, ours=str(one), stripe=str(other)), None, now=now)
        differences.close_unseen(kind, since=now, now=now)


# --- with Stripe ---
def _mrr(gateway: Gateway, now: datetime) -> tuple[Sums, Sums]:
    """MRR of this moment. Customers of whom something is on its way are left out at both ends."""
    found = list(stripe_totals.read_mrr(gateway))  # before ours: what it brought us to know is in both
    states = SubscriptionState.objects.filter(observed_at__gte=now - ON_ITS_WAY)
    moving = set(states.values_list("account", flat=True))
    still = states_in_force(now).exclude(account__in=moving)
    ours = dict(still.values_list("currency").annotate(Sum("mrr_micro")).order_by())
    return ours, _sum(found, leave_out=moving)


def _charged(gateway: Gateway, now: datetime) -> tuple[Sums, Sums]:
    day = _yesterday(now)
    within = Q(created__gte=day.start, created__lt=day.end)
    rows = PaymentMirror.objects.filter(population.counted("account__"), within, status=stripe_totals.SUCCEEDED)
    ours = rows.values_list("currency").annotate(Sum("amount_minor")).order_by()
    found = stripe_totals.read_charged(gateway, day.start, day.end)
    return _micro(ours), _micro(_sum(found).items())


def _refunded(gateway: Gateway, now: datetime) -> tuple[Sums, Sums]:
    day = _yesterday(now)
    within = Q(created__gte=day.start, created__lt=day.end)
    rows = RefundMirror.objects.filter(population.counted("account__"), within, status=stripe_totals.SUCCEEDED)
    ours = rows.values_list("currency").annotate(Sum("amount_minor")).order_by()
    found = stripe_totals.read_refunded(gateway, day.start, day.end)
    return _micro(ours), _micro(_sum(found).items())


# --- with our own rows ---
def _bridge(_gateway: Gateway, now: datetime) -> tuple[Sums, Sums]:
    """The MRR at the end of yesterday, and all movements up to then."""
    day = _last_filled("revenue", "movements", now=now)
    mrr = MetricDay.objects.filter(metric="mrr", day=day).values_list("currency").annotate(Sum("value")).order_by()
    moved, signs = defaultdict[str, int](int), dict(STEPS.values())
    steps = MetricDay.objects.filter(metric__in=signs, day__lte=day)
    for currency, metric, total in steps.values_list("currency", "metric").annotate(Sum("value")).order_by():
        moved[currency] += signs[metric] * int(total)
    return {currency: int(total) for currency, total in mrr}, {name: value for name, value in moved.items() if value}


def _revenue(_gateway: Gateway, now: datetime) -> tuple[Sums, Sums]:
    """Recognised revenue of all days, and what all documents earned up to then."""
    day = _last_filled("earnings", now=now)
    facts = MetricDay.objects.filter(metric="recognised_revenue", day__lte=day)
    ours = facts.values_list("currency").annotate(Sum("value")).order_by()
    earned: dict[str, int] = defaultdict(int)
    for _account, currency, minor in earned_by_account(Period(BEGINNING, day)):
        earned[currency] += micro_from_minor(minor)
    told = {currency: int(total) for currency, total in ours if total}
    return told, {currency: total for currency, total in earned.items() if total}


def _facts(_gateway: Gateway, now: datetime) -> tuple[Sums, Sums]:
    """How many facts of yesterday, and of three other days, are not what their rows say now; none are expected."""
    return {"": sum(1 for _found in _differing(now))}, {"": 0}


def _differing(now: datetime) -> Iterator[fill.Difference]:
    yesterday = _yesterday(now).last
    for family in FAMILIES.values():
        first = family.first_day()
        if first is None or first > yesterday:
            continue
        length = (yesterday - first).days
        others = random.Random(yesterday.toordinal()).sample(range(length), min(SAMPLED_DAYS, length))  # noqa: S311
        waiting = fill.mark_dirty(family, now=now)
        for day in {yesterday, *(first + each * ONE_DAY for each in others)}.difference(waiting):
            yield from filter(None, [fill.find_difference(family, day)])


def _last_filled(*families: str, now: datetime) -> date:
    """Yesterday, where all days of these families up to then are filled."""
    yesterday = _yesterday(now).last
    if any(day <= yesterday for name in families for day in fill.mark_dirty(FAMILIES[name], now=now)):
        raise _NotYet
    return yesterday


def _yesterday(now: datetime) -> Period:
    day: date = days.day_of(now) - ONE_DAY
    return Period(day, day)


def _micro(totals: Iterable[tuple[str, int]]) -> Sums:
    return {currency: micro_from_minor(minor) for currency, minor in totals}


def _sum(found: Iterable[Amount], leave_out: Iterable[UUID] = ()) -> dict[str, int]:
    """What counted customers have, by currency. A customer that nobody here is, is told of by reconciliation."""
    counted = _counted(leave_out)
    totals: dict[str, int] = defaultdict(int)
    for one in found:
        if (one.customer or _payer(one.payment_intent)) in counted:
            totals[one.currency] += one.amount
    return dict(totals)


def _payer(payment_intent: str) -> str:
    row = PaymentMirror.objects.filter(pk=payment_intent).select_related("account").first()
    return (row.account.stripe_customer_id or "") if row else ""


def _counted(leave_out: Iterable[UUID]) -> set[str]:
    """Customers at Stripe, past ones too, of accounts that reports count."""
    accounts = BillingAccount.objects.filter(population.counted()).exclude(pk__in=list(leave_out))
    former = FormerCustomer.objects.filter(account__in=accounts).values_list("pk", flat=True)
    return {*former, *(key for key in accounts.values_list("stripe_customer_id", flat=True) if key)}


CHECKS = (
    Check("mrr", _("MRR"), _("Our MRR of now, and that of Stripe’s subscriptions, each read whole."), _mrr),
    Check("charged", _("Charged yesterday"), _("Our payments of yesterday, and Stripe’s charges of it."), _charged),
    Check("refunded", _("Refunded yesterday"), _("Our refunds of yesterday, and Stripe’s refunds of it."), _refunded),
    Check("bridge", _("The bridge"), _("MRR at the end of yesterday, and the sum of all movements."), _bridge),
    Check("revenue", _("Recognised revenue"), _("Facts of all days, and what all invoices and refunds say."), _revenue),
    Check("facts", _("Facts and their rows"), _("Facts of yesterday and three other days that differ."), _facts,
          is_money=False),
)  # fmt: skip
