"""People: who signs up, who is active, who meets a limit, and who goes to the till."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Any, ClassVar

from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, TruncDate
from django.utils.translation import gettext_lazy as _

from apps.billing.models import BillingAccount, CheckoutAttempt, SubscriptionState
from apps.reporting import days, population
from apps.reporting.days import ONE_DAY, Period
from apps.reporting.metrics.base import Change, Fact, Slice, StoredMetric, Unit
from apps.reporting.metrics.counted import CountedFamily, CountedMetric
from apps.reporting.metrics.rows import Cell, Column, KeysetRows, Kind, Part, Rows
from apps.reporting.metrics.usage import LedgerFamily, settled
from apps.usage.models import UsageAlert

ACCOUNT, WHEN = Column("account", _("Account")), Column("at", _("When"), Kind.TIME)
SPENT = 100  # per cent of a limit
FOLLOWS_WITHIN = timedelta(hours=24)
BOUGHT = ("checkout", "upgrade", "quantity")  # causes of a change by which somebody buys, where it bills more


class SignUps(CountedMetric):
    """New accounts."""

    slug = "sign_ups"
    title = _("Sign-ups")
    unit = Unit.COUNT
    moment = "created_at"
    dimensions = {"country": "owner__country"}
    columns = {WHEN: "created_at", ACCOUNT: "pk", Column("country", _("Country")): "owner__country"}
    formula = _("Accounts that were made on the day; guests are not counted until they sign up.")

    def source(self) -> QuerySet[Any]:
        return BillingAccount.objects.filter(population.counted(), is_guest=False).select_related("owner")


class Checkouts(CountedMetric):
    """Who went to the till."""

    slug = "checkouts"
    title = _("Checkouts opened")
    unit = Unit.COUNT
    moment = "created_at"
    total = Count("account", distinct=True)
    columns = {WHEN: "created_at", ACCOUNT: "account_id", Column("price", _("Price")): "lookup_key",
               Column("state", _("State")): "state"}  # fmt: skip
    formula = _("Accounts that opened Stripe's page to buy a plan, each once a day.")

    def source(self) -> QuerySet[Any]:
        return CheckoutAttempt.objects.filter(population.counted("account__"))


class LimitsMet(CountedMetric):
    """Who used a limit up."""

    slug = "limits_met"
    title = _("Limits met")
    unit = Unit.COUNT
    more_is = ""
    moment = "raised_at"
    total = Count("account", distinct=True)
    dimensions = {"reason": "bucket__meter"}
    columns = {WHEN: "raised_at", ACCOUNT: "account_id", Column("limit", _("Limit")): "bucket__limit_key"}
    formula = _("Accounts that used up one of their plan's limits, each once for a day and what the limit counts.")

    def source(self) -> QuerySet[Any]:
        found = UsageAlert.objects.filter(population.counted("account__"), percent=SPENT)
        return found.select_related("bucket")


class UpgradesAfterLimit(LimitsMet):
    """Who bought more within a day of meeting a limit."""

    slug = "upgrades_after_limit"
    title = _("Bought within a day of a limit")
    more_is = "good"
    formula = _(
        "Of the accounts that met a limit on the day, those that bought more within the 24 hours that followed: a "
        "plan, a larger one, or more of it, so that their subscription bills more. What bills more because a price "
        "rose, a coupon ended or a payment came back was not bought."
    )

    def source(self) -> QuerySet[Any]:
        bought = SubscriptionState.objects.filter(
            account=OuterRef("account"), cause__in=BOUGHT, mrr_micro__gt=Coalesce(_billed_before(), 0),
            effective_at__gt=OuterRef("raised_at"), effective_at__lte=OuterRef("raised_at") + FOLLOWS_WITHIN,
        )  # fmt: skip
        return super().source().filter(Exists(bought))


class Growth(CountedFamily):
    """Filled from accounts, checkouts and warnings about limits."""

    name = "growth"
    metrics = counted = (SignUps(), Checkouts(), LimitsMet(), UpgradesAfterLimit())

    def changes(self, since: datetime | None) -> Iterator[Change]:
        """What is bought a day later changes the day of the limit, too."""
        yield from super().changes(since)
        recent = SubscriptionState.objects.filter(observed_at__gt=since) if since else SubscriptionState.objects.all()
        by_day = recent.annotate(day=TruncDate("effective_at", tzinfo=days.zone())).values_list("day")
        for day, at in by_day.annotate(at=Max("observed_at")).order_by("day"):
            yield Change(day - ONE_DAY, day, at)


class ActiveMetric(StoredMetric):
    """Accounts with at least one answer in the days up to one; exact, never added up."""

    unit = Unit.COUNT
    is_balance = True
    length: ClassVar[int]  # days

    def compute(self, day: date) -> Iterable[Fact]:
        window = Period(day - (self.length - 1) * ONE_DAY, day)
        yield Fact(self.slug, settled(window).aggregate(found=Count("account", distinct=True))["found"])

    def rows(self, part: Slice) -> Rows:
        window = Period(part.period.last - (self.length - 1) * ONE_DAY, part.period.last)
        found = BillingAccount.objects.filter(pk__in=settled(window).values("account_id"))
        return KeysetRows((WHEN, ACCOUNT), Part(found, "created_at", _account_cells))


class ActiveDay(ActiveMetric):
    """Active on the day."""

    slug = "active_day"
    title = _("Active on the day (DAU)")
    length = 1
    formula = _("Accounts with at least one settled answer on the day, in chat or API.")


class ActiveWeek(ActiveMetric):
    """Active within seven days."""

    slug = "active_week"
    title = _("Active in 7 days (WAU)")
    length = 7
    formula = _("Accounts with at least one settled answer in the seven days that end with the day.")


class ActiveMonth(ActiveMetric):
    """Active within 28 days."""

    slug = "active_month"
    title = _("Active in 28 days (MAU)")
    length = 28
    formula = _("Accounts with at least one settled answer in the 28 days that end with the day: four whole weeks.")


class FirstAnswers(StoredMetric):
    """Who got an answer for the first time."""

    slug = "first_answers"
    title = _("First answers")
    unit = Unit.COUNT
    formula = _("Accounts whose first settled answer ever was on the day.")

    def compute(self, day: date) -> Iterable[Fact]:
        yield Fact(self.slug, self._found(Period(day, day)).count())

    def rows(self, part: Slice) -> Rows:
        return KeysetRows((WHEN, ACCOUNT), Part(self._found(part.period), "created_at", _account_cells))

    def _found(self, period: Period) -> QuerySet[BillingAccount]:
        before = settled(Period(days.BEGINNING, period.first - ONE_DAY)).filter(account=OuterRef("pk"))
        within = settled(period).values("account_id")
        return BillingAccount.objects.filter(Q(pk__in=within), ~Exists(before), is_guest=False)


class Activity(LedgerFamily):
    """Filled from the ledger: an answer changes the weeks after it, and may be the first instead of another."""

    name = "activity"
    metrics = (ActiveDay(), ActiveWeek(), ActiveMonth(), FirstAnswers())
    patience = timedelta(minutes=15)

    def changes(self, since: datetime | None) -> Iterator[Change]:
        for change in super().changes(since):
            yield Change(change.first, None, change.at)


def _billed_before() -> Subquery:
    """What the subscription of a state billed until then."""
    at_once = Q(effective_at=OuterRef("effective_at"), observed_at__lt=OuterRef("observed_at"))
    earlier = SubscriptionState.objects.filter(
        Q(effective_at__lt=OuterRef("effective_at")) | at_once, subscription=OuterRef("subscription")
    )
    return Subquery(earlier.order_by("-effective_at", "-observed_at", "-pk").values("mrr_micro")[:1])


def _account_cells(row: BillingAccount) -> tuple[Cell, ...]:
    return (row.created_at, str(row.pk))
