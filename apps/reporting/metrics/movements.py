"""How the MRR moved: new, more, less, lost and back again."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import ClassVar

from django.db.models import Case, CharField, F, Max, Min, Q, QuerySet, Value, When
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.billing.models import SubscriptionState
from apps.reporting import days, netting, population
from apps.reporting.days import Period
from apps.reporting.metrics.base import Change, Fact, Family, Slice, StoredMetric, Unit
from apps.reporting.metrics.moved import Moved, moved_on, states_on
from apps.reporting.metrics.rows import Cell, Column, KeysetRows, Kind, Part, Rows
from apps.reporting.models import MrrMovement
from apps.reporting.netting import Movement

COLUMNS = (
    Column("at", _("When"), Kind.TIME),
    Column("account", _("Account")),
    Column("type", _("Movement")),
    Column("cause", _("Cause")),
    Column("from_plan", _("From plan")),
    Column("to_plan", _("To plan")),
    Column("stripe_subscription", _("Subscription")),
    Column("currency", _("Currency")),
    Column("delta", _("Change of MRR"), Kind.MONEY),
)
DIMENSIONS = ("plan", "interval", "currency", "country", "age", "reason")


class MovedMetric(StoredMetric):
    """A figure over movements of some types."""

    types: ClassVar[tuple[str, ...]]
    dimensions = DIMENSIONS
    only_paid_at_start: ClassVar[bool | None] = None  # None: whether or not the account paid when the month began
    only_first_loss: ClassVar[bool] = False

    def compute(self, day: date) -> Iterable[Fact]:
        return self.facts_of(moved_on(day))

    def facts_of(self, moved: Iterable[Moved]) -> Iterator[Fact]:
        """The facts of a day whose movements are known."""
        sums: Counter[tuple[tuple[str, str], ...]] = Counter()
        for one in moved:
            if self._counts(one):
                sums[tuple(one.named().items())] += self.value_of(one.movement)
        for named, value in sums.items():
            yield Fact(self.slug, value, **dict(named))

    def value_of(self, movement: Movement) -> int:
        """What one movement adds."""
        return abs(movement.delta_micro) if self.unit.is_money else 1

    def rows(self, part: Slice) -> Rows:
        found = MrrMovement.objects.filter(at__gte=part.period.start, at__lt=part.period.end, type__in=self.types)
        if self.only_paid_at_start is not None:
            found = found.filter(paid_at_start=self.only_paid_at_start)
        if self.only_first_loss:
            found = found.filter(is_first_loss=True)
        return KeysetRows(COLUMNS, Part(_described(found).filter(**_conditions(part)), "at", _cells))

    def _counts(self, one: Moved) -> bool:
        if one.movement.type not in self.types or (self.only_first_loss and not one.is_first_loss):
            return False
        return self.only_paid_at_start is None or one.paid_at_start is self.only_paid_at_start


class MovedMrr(MovedMetric):
    """Money of movements of one type."""

    unit = Unit.MONEY_A_MONTH


class NewMrr(MovedMrr):
    """From nothing, for the first time."""

    slug = "mrr_new"
    title = _("New MRR")
    types = (netting.NEW,)
    formula = _(
        "MRR of customers who had none ever before, on the day their subscription began to bill: a trial counts from "
        "its first paid period. Changes of one customer within 60 minutes are one movement."
    )


class ReactivationMrr(MovedMrr):
    """From nothing, again."""

    slug = "mrr_reactivation"
    title = _("Reactivation MRR")
    types = (netting.REACTIVATION,)
    formula = _(
        "MRR of customers who had none, and had some at an earlier time; the end of a pause is one. What was given "
        "back within 60 minutes was none."
    )


class ExpansionMrr(MovedMrr):
    """To more."""

    slug = "mrr_expansion"
    title = _("Expansion MRR")
    types = (netting.EXPANSION,)
    formula = _("What paying customers pay more each month: upgrades, quantities, a second subscription, price rises.")


class ContractionMrr(MovedMrr):
    """To less, not to nothing."""

    slug = "mrr_contraction"
    title = _("Contraction MRR")
    more_is = "bad"
    types = (netting.CONTRACTION,)
    formula = _("What customers who still pay pay less each month: downgrades, forever coupons, one of several lost.")


class ChurnMrr(MovedMrr):
    """To nothing."""

    slug = "mrr_churn"
    title = _("Churned MRR")
    more_is = "bad"
    types = (netting.CHURN,)
    formula = _(
        "MRR that is lost with customers who pay nothing any more: at the end of the period they paid for, not on the "
        "day they cancelled; after failed payments when the last try failed; a pause is churn until it ends."
    )


class MovedCustomers(MovedMetric):
    """Customers, counted by their movements."""

    unit = Unit.COUNT


class NewCustomers(MovedCustomers):
    """Who pays for the first time."""

    slug = "new_customers"
    title = _("New customers")
    types = (netting.NEW,)
    formula = _("Customers whose MRR rose from nothing for the first time.")


class ReactivatedCustomers(MovedCustomers):
    """Who pays again."""

    slug = "reactivated_customers"
    title = _("Customers who came back")
    types = (netting.REACTIVATION,)
    formula = _("Customers whose MRR rose from nothing, and who had paid at an earlier time.")


class ChurnedCustomers(MovedCustomers):
    """Who pays no more."""

    slug = "churned_customers"
    title = _("Lost customers")
    more_is = "bad"
    types = (netting.CHURN,)
    formula = _("Customers whose MRR fell to nothing, whether or not they paid when the month began.")


class LostOfStart(MovedCustomers):
    """Who paid when the month began, and pays no more."""

    slug = "lost_of_start"
    title = _("Lost, of those at the start")
    more_is = "bad"
    types = (netting.CHURN,)
    only_paid_at_start = True
    only_first_loss = True
    formula = _("Customers who paid when the calendar month began and whose MRR fell to nothing in it, each once.")


class JoinedAndLeft(MovedCustomers):
    """Who came and went within a month."""

    slug = "joined_and_left"
    title = _("Joined and left in one month")
    more_is = "bad"
    types = (netting.CHURN,)
    only_paid_at_start = False
    only_first_loss = True
    formula = _(
        "Customers lost in a month at whose start they paid nothing, each once a month: shown apart, in no rate of "
        "churn."
    )


class StartChurn(MovedMrr):
    """MRR lost with customers of the month's start."""

    slug = "start_churn"
    title = _("Churned MRR, of the start")
    more_is = "bad"
    types = (netting.CHURN,)
    only_paid_at_start = True
    formula = _("Churned MRR of customers who paid when the calendar month began: what GRR and NRR are made of.")


class StartContraction(MovedMrr):
    """MRR that customers of the month's start pay less."""

    slug = "start_contraction"
    title = _("Contraction MRR, of the start")
    more_is = "bad"
    types = (netting.CONTRACTION,)
    only_paid_at_start = True
    formula = _("Contraction MRR of customers who paid when the calendar month began: what GRR and NRR are made of.")


class StartExpansion(MovedMrr):
    """MRR that customers of the month's start pay more."""

    slug = "start_expansion"
    title = _("Expansion MRR, of the start")
    types = (netting.EXPANSION,)
    only_paid_at_start = True
    formula = _("Expansion MRR of customers who paid when the calendar month began: what NRR is made of.")


class Movements(Family):
    """Filled from the states of subscriptions; it keeps the movements themselves, too."""

    name = "movements"
    metrics: ClassVar[tuple[MovedMetric, ...]] = (
        NewMrr(), ReactivationMrr(), ExpansionMrr(), ContractionMrr(), ChurnMrr(), NewCustomers(),
        ReactivatedCustomers(), ChurnedCustomers(), LostOfStart(), JoinedAndLeft(), StartChurn(), StartContraction(),
        StartExpansion(),
    )  # fmt: skip

    def first_day(self) -> date | None:
        first = SubscriptionState.objects.aggregate(first=Min("effective_at"))["first"]
        return days.day_of(first) if first else None

    def changes(self, since: datetime | None) -> Iterator[Change]:
        """A state changes its day, and every later movement of its account: before and after are others there."""
        recent = Q(observed_at__gt=since) if since else Q()
        firsts = SubscriptionState.objects.filter(recent).values("account_id").annotate(first=Min("effective_at"))
        seen = {row["account_id"]: row["first"] for row in firsts.order_by().iterator()}
        if not seen:
            return
        later = SubscriptionState.objects.filter(account_id__in=seen, effective_at__gte=min(seen.values()))
        at = SubscriptionState.objects.filter(recent).aggregate(at=Max("observed_at"))["at"]
        touched = {
            days.day_of(moment)
            for account_id, moment in later.values_list("account_id", "effective_at").iterator()
            if moment >= seen[account_id]
        }
        for day in sorted(touched):
            yield Change(day, day, at)

    def source_rows(self, day: date) -> int:
        return states_on(day).count()

    def compute(self, day: date) -> list[Fact]:
        return self._facts(list(moved_on(day)))

    def renew(self, day: date) -> list[Fact]:
        """Put the day's movements in the place of the old ones; they are worked out once for both."""
        moved, period = list(moved_on(day)), Period(day, day)
        MrrMovement.objects.filter(at__gte=period.start, at__lt=period.end).delete()
        MrrMovement.objects.bulk_create([_stored(one) for one in moved], batch_size=1000)
        return self._facts(moved)

    def _facts(self, moved: list[Moved]) -> list[Fact]:
        return [fact for metric in self.metrics for fact in metric.facts_of(moved) if fact.value]


def _stored(moved: Moved) -> MrrMovement:
    one = moved.movement
    return MrrMovement(
        at=one.at, account_id=moved.account_id, type=one.type, cause=one.cause, from_plan=one.from_plan,
        to_plan=one.to_plan, interval=one.interval, currency=moved.currency, delta_micro=one.delta_micro,
        after_micro=one.after_micro, subscription_id=one.subscription, paid_at_start=moved.paid_at_start,
        is_first_loss=moved.is_first_loss,
    )  # fmt: skip


def _described(found: QuerySet[MrrMovement]) -> QuerySet[MrrMovement]:
    """Movements with the dimensions of their facts."""
    is_new = When(account__created_at__gte=F("at") - population.NEW_FOR, then=Value("new"))
    return found.annotate(
        plan=Case(When(to_plan="", then=F("from_plan")), default=F("to_plan"), output_field=CharField()),
        country=F("account__owner__country"),
        age=Case(is_new, default=Value("old"), output_field=CharField()),
    )


def _conditions(part: Slice) -> dict[str, str]:
    columns = {name: name for name in DIMENSIONS} | {"reason": "cause"}
    return {columns[name]: value for name, value in part.only.items() if name in columns}


def _cells(row: MrrMovement) -> tuple[Cell, ...]:
    return (
        row.at, str(row.account_id), row.type, row.cause, row.from_plan, row.to_plan, row.subscription_id, row.currency,
        row.delta_micro,
    )  # fmt: skip


TYPES: dict[str, Promise] = {
    netting.NEW: _("New"),
    netting.REACTIVATION: _("Reactivation"),
    netting.EXPANSION: _("Expansion"),
    netting.CONTRACTION: _("Contraction"),
    netting.CHURN: _("Churn"),
}
