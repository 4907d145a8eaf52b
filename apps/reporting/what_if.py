"""What other prices and limits would do: the real usage of a month, counted again under another rule."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from django.db.models import BigIntegerField, Case, Count, F, Q, Sum, When
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from apps.billing import plans
from apps.core import money
from apps.core.errors import Invalid
from apps.reporting.days import ONE_DAY
from apps.reporting.facts import read_split
from apps.reporting.metrics.families import METRICS
from apps.reporting.models import AccountMonth
from apps.reporting.scope import Scope

HUNDRED = 100
MOST_MESSAGES, MOST_PERCENT = 1_000_000_000, 1_000


@dataclass(frozen=True)
class Wish:
    """What is tried. A plan that is absent keeps what it has.

    prices_micro      plan → what a month of it would cost, in the reporting currency
    messages          plan → the most messages of one account in a month
    leaving_percent   of the subscribers of a plan whose price changes, so many would end it
    cost_percent      what models would cost, of what they cost now
    """

    prices_micro: Mapping[str, int] = field(default_factory=dict)
    messages: Mapping[str, int] = field(default_factory=dict)
    leaving_percent: int = 0
    cost_percent: int = HUNDRED


@dataclass(frozen=True)
class Line:
    """One plan in one month, as it was or as it would be. Money in micro-units of the reporting currency."""

    subscriptions: int
    mrr_micro: int
    messages: int
    model_cost_micro: int
    infrastructure_micro: int

    @property
    def margin_micro(self) -> int:
        return self.mrr_micro - self.model_cost_micro - self.infrastructure_micro

    def __add__(self, other: "Line") -> "Line":
        return Line(*(one + another for one, another in zip(vars(self).values(), vars(other).values(), strict=True)))


@dataclass(frozen=True)
class Outcome:
    """One plan now and then. `accounts` asked something in the month; `stopped` of them would meet the new limit."""

    plan: str
    price_micro: int | None  # of a month, as the catalogue states it; None: not sold
    accounts: int
    stopped: int
    now: Line
    then: Line


def month_of_basis(today: date) -> date:
    """The first day of the last whole month of which usage is known, or of the open one."""
    last = (today.replace(day=1) - ONE_DAY).replace(day=1)
    return last if AccountMonth.objects.filter(month=last).exists() else today.replace(day=1)


def read_outcomes(wish: Wish, scope: Scope) -> list[Outcome]:
    """Every plan of the catalogue, now and under the wish: usage of the month, subscriptions of today."""
    currency = scope.reporting_currency
    paid = read_split(scope, ["mrr", "subscriptions"], "plan")
    used = _usage(wish, month_of_basis(scope.today), currency)
    found = []
    for key, terms in plans.catalogue().plans.items():
        facts, usage = paid.get(key), used.get(key, {})
        mrr = facts.value(METRICS["mrr"], currency, scope.period) if facts else 0
        subscriptions = facts.value(METRICS["subscriptions"], currency, scope.period) if facts else 0
        costs = (usage.get(name, 0) for name in ("messages", "cost", "infrastructure"))
        before = Line(subscriptions or 0, mrr or 0, *costs)
        price = terms.prices.get(("month", currency))
        price_micro = None if price is None else money.micro_from_minor(price)
        found.append(
            Outcome(key, price_micro, usage.get("accounts", 0), usage.get("stopped", 0), before,
                    apply(wish, key, price_micro, before, _kept(before, usage)))
        )  # fmt: skip
    return found


def apply(wish: Wish, plan: str, price_micro: int | None, now: Line, kept: Line) -> Line:
    """A plan's month under the wish. `kept`: its usage when the new limit stops whoever went beyond.

    MRR follows the price in proportion, whatever the interval; who leaves takes their usage along.
    """
    wanted = wish.prices_micro.get(plan, price_micro)
    if not price_micro or wanted is None or wanted == price_micro:
        mrr, staying = now.mrr_micro, HUNDRED
    else:
        staying = HUNDRED - wish.leaving_percent
        mrr = now.mrr_micro * wanted * staying // (price_micro * HUNDRED)
    return Line(
        subscriptions=now.subscriptions * staying // HUNDRED,
        mrr_micro=mrr,
        messages=kept.messages * staying // HUNDRED,
        model_cost_micro=kept.model_cost_micro * staying * wish.cost_percent // (HUNDRED * HUNDRED),
        infrastructure_micro=kept.infrastructure_micro * staying // HUNDRED,
    )


def read_wish(query: QueryDict, *, currency: str) -> Wish:
    """What the page was asked: `price_PLAN`, `messages_PLAN`, `leaving`, `cost`.

    Raises  Invalid: no amount or number where there should be one.
    """
    prices, messages = {}, {}
    for key, terms in plans.catalogue().plans.items():
        price = query.get(f"price_{key}", "").strip()
        if price and ("month", currency) in terms.prices:
            prices[key] = _price(price, f"price_{key}")
        if query.get(f"messages_{key}", "").strip():
            messages[key] = _number(query, f"messages_{key}", 0, MOST_MESSAGES)
    return Wish(prices, messages, _number(query, "leaving", 0, HUNDRED), _number(query, "cost", HUNDRED, MOST_PERCENT))


def _usage(wish: Wish, month: date, currency: str) -> dict[str, dict[str, int]]:
    """Usage of a month by plan, as it was and as far as the new limits would let it be. One query."""
    rows = AccountMonth.objects.filter(month=month, currency=currency)
    beyond = Q(messages__lt=0)  # nobody
    whens: dict[str, list[When]] = {name: [] for name in ("messages", "model_cost_micro", "infrastructure_micro")}
    for plan, most in wish.messages.items():
        over = Q(plan=plan, messages__gt=most)
        beyond |= over
        for name, cases in whens.items():
            cases.append(When(over, then=F(name) * most / F("messages")))
    kept = {
        f"kept_{name}": Sum(Case(*cases, default=F(name), output_field=BigIntegerField()))
        for name, cases in whens.items()
    }
    found = rows.values("plan").annotate(
        accounts=Count("pk", filter=Q(answers__gt=0)), stopped=Count("pk", filter=beyond),
        asked=Sum("messages"), cost=Sum("model_cost_micro"), infrastructure=Sum("infrastructure_micro"), **kept,
    )  # fmt: skip
    rows_by_plan: dict[str, dict[str, int]] = {}
    for row in found.order_by():
        counted = {name: int(value) for name, value in row.items() if name != "plan"}  # type: ignore[call-overload]  # sums
        rows_by_plan[row["plan"]] = {"messages": counted["asked"], **counted}
    return rows_by_plan


def _kept(now: Line, usage: Mapping[str, int]) -> Line:
    kept = (usage.get(f"kept_{name}", 0) for name in ("messages", "model_cost_micro", "infrastructure_micro"))
    return Line(now.subscriptions, now.mrr_micro, *(int(value) for value in kept))


def _price(text: str, name: str) -> int:
    try:
        return money.micro_from_text(text)
    except ValueError:
        raise Invalid(_("Write a price such as 10 or 10.50."), field=name) from None


def _number(query: QueryDict, name: str, default: int, most: int) -> int:
    text = query.get(name, "").strip()
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and int(text[:12]) <= most):
        raise Invalid(_("Write a whole number that is not too large."), field=name)
    return int(text)
