"""Letters that time calls for: what is about to happen, told while there is still something to do about it."""

from calendar import monthrange
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import F, Q, QuerySet

from apps.billing import dunning, emails, letters
from apps.billing.letters import Wanted
from apps.billing.models import BillingAccount, EntitlementSnapshot, StripeOutbox, SubscriptionMirror
from apps.billing.plans import catalogue

BEFORE_GRACE_ENDS = timedelta(days=2)
BEFORE_TRIAL_ENDS = timedelta(days=3)
# France asks for at least a month before a year renews by itself, California for 15 to 45 days.
BEFORE_A_YEAR_RENEWS = timedelta(days=35)
BEFORE_CARD_IS_NEEDED = timedelta(days=21)
SPAN = timedelta(days=3)  # how long after its day such a letter is still looked for


def remind(*, now: datetime) -> int:
    """Want every reminder that is due, once; the number that is new. An act for each.

    Each asks again what is true before it leaves, see `relevance`.
    """
    readers: tuple[Callable[..., Iterable[tuple[BillingAccount, Wanted]]], ...] = (
        _graces, _trials, _years, _cards,
    )  # fmt: skip
    due = [found for read in readers for found in read(now=now)]
    keys = {f"mail:{wanted.kind}:{wanted.about}" for _account, wanted in due}
    known = set(StripeOutbox.objects.filter(key__in=keys).values_list("key", flat=True))
    new = [(account, one) for account, one in due if f"mail:{one.kind}:{one.about}" not in known]
    for account, wanted in new:
        with transaction.atomic(durable=True):
            letters.want(account, wanted, now=now)
    return len(new)


def _graces(*, now: datetime) -> Iterator[tuple[BillingAccount, Wanted]]:
    """Plans that stop in two days, because nobody paid."""
    if timedelta(days=catalogue().grace_days) <= BEFORE_GRACE_ENDS:
        return  # the first letter says it already
    latest = EntitlementSnapshot.objects.filter(
        reason="past_due", valid_until__gt=now, valid_until__lte=now + BEFORE_GRACE_ENDS
    )
    for snapshot in latest.select_related("account", "plan_version"):
        trouble = dunning.find_trouble(snapshot.account, now=now)
        if trouble is not None and trouble.until is not None:
            facts = letters.owed_facts(snapshot.account.invoices.get(pk=trouble.invoice))
            until = trouble.until.isoformat()
            yield (
                snapshot.account,
                Wanted(emails.GRACE_ENDING, trouble.invoice, {**facts, "plan": trouble.plan, "until": until}),
            )


def _trials(*, now: datetime) -> Iterator[tuple[BillingAccount, Wanted]]:
    """Trials that end in three days. One that is shorter is told of when it begins."""
    soon = _going_on().filter(status="trialing", trial_end__gt=now, trial_end__lte=now + BEFORE_TRIAL_ENDS)
    for row in soon.filter(started_at__lt=F("trial_end") - BEFORE_TRIAL_ENDS):
        yield row.account, _about(emails.TRIAL_ENDING, row, row.trial_end)


def _years(*, now: datetime) -> Iterator[tuple[BillingAccount, Wanted]]:
    """Years that renew by themselves."""
    soon = _renewing(BEFORE_A_YEAR_RENEWS, now=now).filter(items__price__interval="year")
    for row in soon.distinct():
        wanted = _about(emails.RENEWAL_REMINDER, row, row.current_period_end)
        charged = {} if row.renewal_minor is None else {"price_minor": str(row.renewal_minor)}
        yield row.account, Wanted(wanted.kind, wanted.about, {**wanted.facts, **charged})


def _cards(*, now: datetime) -> Iterator[tuple[BillingAccount, Wanted]]:
    """Cards that end before they are needed next."""
    for row in _renewing(BEFORE_CARD_IS_NEEDED, now=now).exclude(card_exp_year=None):
        if row.current_period_end and _end_of_card(row) < row.current_period_end:
            expiry = f"{row.card_exp_year}-{row.card_exp_month:02}"
            wanted = _about(emails.CARD_EXPIRING, row, row.current_period_end)
            yield row.account, Wanted(wanted.kind, f"{row.pk}:{expiry}", {**wanted.facts, "expiry": expiry})


def _going_on() -> QuerySet[SubscriptionMirror]:
    live = SubscriptionMirror.objects.live().filter(cancel_at=None, cancel_at_period_end=False)
    return live.select_related("account", "plan").prefetch_related("items__price")


def _renewing(ahead: timedelta, *, now: datetime) -> QuerySet[SubscriptionMirror]:
    window = Q(current_period_end__gt=now + ahead - SPAN, current_period_end__lte=now + ahead)
    return _going_on().filter(window, status="active")


def _about(kind: str, row: SubscriptionMirror, when: datetime | None) -> Wanted:
    until = when.isoformat() if when else ""
    return Wanted(kind, f"{row.pk}:{until}", {**letters.plan_facts(row), "until": until})


def _end_of_card(row: SubscriptionMirror) -> datetime:
    """A card is good until its month is over."""
    year, month = row.card_exp_year or 0, row.card_exp_month or 12
    return datetime(year, month, monthrange(year, month)[1], 23, 59, 59, tzinfo=UTC)
