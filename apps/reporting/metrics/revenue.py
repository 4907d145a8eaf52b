"""What subscriptions bring each month, and who pays."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any

from django.db.models import Aggregate, Count, Exists, F, Max, Min, OuterRef, Q, QuerySet, Sum
from django.utils.translation import gettext_lazy as _

from apps.billing.models import BillingAccount, SubscriptionState
from apps.reporting import days, population
from apps.reporting.metrics.base import Change, Fact, Family, Slice, StoredMetric, Unit
from apps.reporting.metrics.rows import Cell, Column, KeysetRows, Kind, Part, Rows

# Dimension → the column of a described state.
STATE_DIMENSIONS = {"plan": "plan_id", "interval": "interval", "currency": "currency", "country": "country",
                    "age": "age"}  # fmt: skip
STATE_COLUMNS = (
    Column("account", _("Account")),
    Column("stripe_subscription", _("Subscription")),
    Column("plan", _("Plan")),
    Column("interval", _("Interval")),
    Column("status", _("Status")),
    Column("effective_at", _("Since"), Kind.TIME),
    Column("currency", _("Currency")),
    Column("mrr", _("MRR"), Kind.MONEY),
)
ACCOUNT_COLUMNS = (
    Column("account", _("Account")),
    Column("stripe_customer", _("Stripe customer")),
    Column("created_at", _("Created"), Kind.TIME),
)


def states_in_force(at: datetime) -> QuerySet[SubscriptionState]:
    """The latest state of each counted subscription just before a moment, where it bills anything."""
    return _states_that_bill(at).filter(population.counted("account__"))


def _states_that_bill(at: datetime) -> QuerySet[SubscriptionState]:
    """Those of whoever. No later state of the same subscription: an anti-join, which an index answers row by row."""
    at_once = Q(effective_at=OuterRef("effective_at"))
    later = SubscriptionState.objects.filter(
        Q(effective_at__gt=OuterRef("effective_at"))
        | (at_once & Q(observed_at__gt=OuterRef("observed_at")))
        | (at_once & Q(observed_at=OuterRef("observed_at"), pk__gt=OuterRef("pk"))),
        subscription=OuterRef("subscription"),
        effective_at__lt=at,
    )
    billing = SubscriptionState.objects.filter(effective_at__lt=at, mrr_micro__gt=0)
    return billing.filter(~Exists(later))


def largest_states(at: datetime) -> QuerySet[SubscriptionState]:
    """Of each counted account, the state in force that bills the most."""
    largest = states_in_force(at).order_by("account_id", "-mrr_micro", "pk").distinct("account_id")
    return SubscriptionState.objects.filter(pk__in=largest.values("pk"))


def described(states: QuerySet[SubscriptionState], at: datetime) -> QuerySet[SubscriptionState]:
    """States with the country of their account, and whether it is new."""
    return states.annotate(country=F("account__owner__country"), age=population.age_at(at, "account__"))


def accounts_described(accounts: QuerySet[BillingAccount], at: datetime) -> QuerySet[Any]:  # with two more columns
    """Accounts with their country, and whether they are new."""
    return accounts.annotate(country=F("owner__country"), age=population.age_at(at))


def state_conditions(part: Slice) -> dict[str, str]:
    """What a slice asks of states that are described."""
    return {STATE_DIMENSIONS[name]: value for name, value in part.only.items() if name in STATE_DIMENSIONS}


def accounts_at(at: datetime, *, pays: bool) -> QuerySet[BillingAccount]:
    """The counted accounts that were there just before a moment and had some MRR, or none; no guests.

    Whether an account pays is asked of its own states alone, so that the plan is the same join whatever Postgres knows
    of the tables: without statistics it would else begin anew for each account.
    """
    there = Q(created_at__lt=at, is_guest=False) & (Q(erased_at=None) | Q(erased_at__gte=at))
    paying = _states_that_bill(at).filter(account=OuterRef("pk"))
    found: QuerySet[BillingAccount] = BillingAccount.objects.filter(population.counted(), there)
    return found.filter(Exists(paying) if pays else ~Exists(paying))


class Mrr(StoredMetric):
    """Monthly recurring revenue."""

    slug = "mrr"
    title = _("MRR")
    unit = Unit.MONEY_A_MONTH
    is_balance = True
    dimensions = STATE_DIMENSIONS
    formula = _(
        "Monthly recurring revenue at the end of the day: what active and past due subscriptions bill for licensed "
        "items, as if every period were a month (year ÷ 12, week × 52 ÷ 12, day × 365 ÷ 12), less forever discounts. "
        "Left out: tax, trials, one-off and metered items, once and repeating coupons, paused collection. Other tools "
        "differ: some take a week as a quarter of a month, some subtract every coupon."
    )

    def compute(self, day: date) -> Iterable[Fact]:
        return _facts(self.slug, states_in_force(days.end_of(day)), day, Sum("mrr_micro"))

    def rows(self, part: Slice) -> Rows:
        return _state_rows(part)


class Subscriptions(StoredMetric):
    """Subscriptions that bill something, by plan."""

    slug = "subscriptions"
    title = _("Paid subscriptions")
    unit = Unit.COUNT
    is_balance = True
    dimensions = STATE_DIMENSIONS
    formula = _("Subscriptions with an MRR above nothing at the end of the day, by plan, interval and currency.")

    def compute(self, day: date) -> Iterable[Fact]:
        return _facts(self.slug, states_in_force(days.end_of(day)), day, Count("pk"))

    def rows(self, part: Slice) -> Rows:
        return _state_rows(part)


class PayingCustomers(StoredMetric):
    """Accounts with an MRR above nothing."""

    slug = "paying_customers"
    title = _("Paying accounts")
    unit = Unit.COUNT
    is_balance = True
    formula = _(
        "Accounts whose MRR is above nothing at the end of the day; an account with two subscriptions counts once, "
        "with the larger one."
    )
    dimensions = STATE_DIMENSIONS

    def compute(self, day: date) -> Iterable[Fact]:
        return _facts(self.slug, largest_states(days.end_of(day)), day, Count("pk"))

    def rows(self, part: Slice) -> Rows:
        end = part.period.end
        states = described(largest_states(end), end).filter(**state_conditions(part))
        return _account_rows(BillingAccount.objects.filter(pk__in=states.values("account_id")))


class FreeAccounts(StoredMetric):
    """Accounts that pay no subscription."""

    slug = "free_accounts"
    title = _("Free accounts")
    unit = Unit.COUNT
    is_balance = True
    formula = _(
        "Accounts that exist at the end of the day and whose MRR is nothing; people in a trial and people who only use "
        "the API are among them. Deleted accounts are not."
    )
    dimensions = ("country", "age")

    def compute(self, day: date) -> Iterable[Fact]:
        end = days.end_of(day)
        groups = accounts_described(accounts_at(end, pays=False), end).values_list("country", "age")
        for country, age, value in groups.annotate(total=Count("pk")).order_by():
            yield Fact(self.slug, value, country=country, age=age)

    def rows(self, part: Slice) -> Rows:
        end = part.period.end
        found = accounts_described(accounts_at(end, pays=False), end)
        return _account_rows(found.filter(**{name: part.only[name] for name in self.dimensions if name in part.only}))


class Revenue(Family):
    """Filled from the states of mirrored subscriptions, and from accounts."""

    name = "revenue"
    metrics = (Mrr(), Subscriptions(), PayingCustomers(), FreeAccounts())

    def first_day(self) -> date | None:
        firsts = (
            SubscriptionState.objects.aggregate(first=Min("effective_at"))["first"],
            BillingAccount.objects.aggregate(first=Min("created_at"))["first"],
        )
        return min((days.day_of(moment) for moment in firsts if moment), default=None)

    def changes(self, since: datetime | None) -> Iterator[Change]:
        """A balance that changed is changed on every later day."""
        sources: tuple[tuple[QuerySet[Any], str, str], ...] = (  # of two tables
            (SubscriptionState.objects.all(), "effective_at", "observed_at"),
            (BillingAccount.objects.all(), "created_at", "created_at"),
            (BillingAccount.objects.all(), "erased_at", "erased_at"),
        )
        for table, happened, recorded in sources:
            recent = table.filter(**{f"{recorded}__gt": since}) if since else table
            found = recent.aggregate(first=Min(happened), at=Max(recorded))
            if found["first"] is not None:
                yield Change(days.day_of(found["first"]), None, found["at"])

    def source_rows(self, day: date) -> int:
        states = SubscriptionState.objects.filter(effective_at__lt=days.end_of(day)).count()
        accounts: int = BillingAccount.objects.filter(created_at__lt=days.end_of(day)).count()
        return states + accounts


def _state_rows(part: Slice) -> Rows:
    end = part.period.end
    states = described(states_in_force(end), end).filter(**state_conditions(part))
    return KeysetRows(STATE_COLUMNS, Part(states, "effective_at", _state_cells))


def _state_cells(state: SubscriptionState) -> tuple[Cell, ...]:
    return (
        str(state.account_id),
        state.subscription_id,
        state.plan_id or "",
        state.interval,
        state.status,
        state.effective_at,
        state.currency,
        state.mrr_micro,
    )


def _account_rows(accounts: QuerySet[BillingAccount]) -> Rows:
    return KeysetRows(
        ACCOUNT_COLUMNS,
        Part(accounts, "created_at", lambda row: (str(row.pk), row.stripe_customer_id or "", row.created_at)),
    )


def _facts(slug: str, states: QuerySet[SubscriptionState], day: date, total: Aggregate) -> Iterator[Fact]:
    groups = described(states, days.end_of(day)).values_list(*STATE_DIMENSIONS.values()).annotate(total=total)
    for *named, value in groups.order_by():
        yield Fact(slug, int(value), **{name: word or "" for name, word in zip(STATE_DIMENSIONS, named, strict=True)})
