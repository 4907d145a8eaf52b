"""What the catalogue's file says becomes plans, models and prices, or is refused. Nothing else reads that file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from apps.billing import catalogue_models
from apps.billing.meters import LIMITED, Meter
from apps.billing.terms import (
    FEATURES,
    INTERVALS,
    MODES,
    QUEUES,
    Catalogue,
    DeveloperTerms,
    Limit,
    PlanTerms,
    window_of,
)
from apps.billing.toml_source import Source, Table, show

UNLIMITED = "unlimited"
FALLBACK = "fallback:"
STATUSES = ("trialing", "active", "past_due", "unpaid", "paused", "canceled", "incomplete", "incomplete_expired")
NEVER_PAID = ("incomplete", "incomplete_expired")
ACCESS = ("plan", "grace", "default")
PAUSED_COLLECTION = "paused_collection"
CURRENCY_LETTERS = 3


def parse(path: Path) -> Catalogue:
    """Read and check the whole file.

    Raises  CatalogueError: the first thing that makes no sense, with file, line and key.
    """
    top = Source(path).table()
    mode = top.choice("mode", MODES)
    currencies = _currencies(top)
    backends = dict(top.table("backends").each())
    models = dict(top.table("models").each())
    catalogue_models.check_backends(backends)
    catalogue_models.check_models(models, tuple(backends), currencies)
    plans = _plans(top.table("plans"), tuple(models), currencies, sells=mode != "internal")
    catalogue = Catalogue(
        mode=mode,
        default_plan=_default_plan(top, plans),
        currencies=currencies,
        grace_days=top.whole("grace_days"),
        moves_subscribers=top.choice("existing_subscribers", ("move", "stay"), default="move") == "move",
        policy=_policy(top.table("policy")),
        plans=plans,
        developer=_developer(top.table("developer"), tuple(models), currencies),
        models={key: table.values for key, table in models.items()},
        backends={key: table.values for key, table in backends.items()},
    )
    top.refuse_rest()
    return catalogue


def _currencies(top: Table) -> tuple[str, ...]:
    currencies = top.texts("currencies")
    for currency in currencies:
        if len(currency) != CURRENCY_LETTERS or not currency.isalpha() or currency != currency.lower():
            top.refuse(f"names “{currency}”; a currency is three small letters, such as “usd”", "currencies")
    if not currencies:
        top.refuse("is empty; it takes at least one currency", "currencies")
    return currencies


def _default_plan(top: Table, plans: Mapping[str, PlanTerms]) -> str:
    key = top.choice("default_plan", tuple(plans))
    if plans[key].prices:
        top.refuse(f"is “{key}”, which has prices; people who pay nothing need a plan without", "default_plan")
    return key


def _policy(table: Table) -> Mapping[str, str]:
    words = {status: table.choice(status, ACCESS) for status in STATUSES}
    for status in NEVER_PAID:
        if words[status] != "default":
            table.refuse(f"is “{words[status]}”; nobody has paid yet, so it takes only default", status)
    words[PAUSED_COLLECTION] = table.choice(PAUSED_COLLECTION, ("period_end", "keep"), default="period_end")
    table.refuse_rest()
    return words


def _plans(
    table: Table, models: tuple[str, ...], currencies: tuple[str, ...], *, sells: bool
) -> Mapping[str, PlanTerms]:
    plans: dict[str, PlanTerms] = {}
    for key, raw in table.each():
        prices = _prices(raw, currencies)
        plan = _plan(key, raw, models, prices if sells else {})
        if any(plan.rank == other.rank for other in plans.values()):
            raw.refuse(f"is {plan.rank}, which another plan has; ranks decide between plans and must differ", "rank")
        plans[key] = plan
    return plans


def _plan(key: str, table: Table, models: tuple[str, ...], prices: Mapping[tuple[str, str], int]) -> PlanTerms:
    included = table.choices("models", models)
    plan = PlanTerms(
        key=key,
        name=table.text("name"),
        rank=table.whole("rank"),
        models=included,
        queue=table.choice("queue", QUEUES),
        concurrency=table.whole("concurrency", least=1),
        context_tokens=table.whole("context_tokens", least=1),
        output_tokens=table.whole("output_tokens", least=1),
        api_requests_per_minute=table.whole("api_requests_per_minute"),
        api_tokens_per_minute=table.whole("api_tokens_per_minute"),
        features=table.choices("features", FEATURES, default=()),
        limits=_limits(table, included),
        prices=prices,
        trial_days=table.whole("trial_days", default=0),
    )
    table.refuse_rest()
    return plan


def _prices(table: Table, currencies: tuple[str, ...]) -> Mapping[tuple[str, str], int]:
    if not table.has("prices"):
        return {}
    prices: dict[tuple[str, str], int] = {}
    by_interval = table.table("prices")
    for interval in by_interval.values:
        if interval not in INTERVALS:
            by_interval.refuse(f"is not an interval; known are {', '.join(INTERVALS)}", interval)
        amounts = by_interval.table(interval)
        for currency in currencies:
            prices[interval, currency] = amounts.whole(currency, least=1)
        amounts.refuse_rest()
    return prices


def _limits(table: Table, included: tuple[str, ...]) -> tuple[Limit, ...]:
    limits: dict[str, Limit] = {}
    for raw in table.tables("limit"):
        limit = _limit(raw, included)
        if limit.key in limits:
            raw.refuse("says again what another limit of this plan says (same meter, models and window)")
        limits[limit.key] = limit
    return tuple(limits.values())


def _limit(table: Table, included: tuple[str, ...]) -> Limit:
    window_text = table.text("window")
    window = window_of(window_text)
    if window is None:
        table.refuse(f"is “{window_text}”; it takes a number with m, h or d, such as 3h or 7d", "window")
    meter = Meter(table.choice("meter", LIMITED))
    models = table.choices("models", included, default=())
    amount = None if table.raw("amount") == UNLIMITED else _amount(table)
    fallback = _fallback(table, models, included)
    table.refuse_rest()
    when_spent = "fallback" if fallback else "refuse"
    return Limit(meter, models, amount, window, window_text, when_spent, fallback)


def _amount(table: Table) -> int:
    value = table.raw("amount")
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        table.refuse(f"is {show(value)}; it takes a whole number from 0 up, or “{UNLIMITED}”", "amount")
    return value


def _fallback(table: Table, models: tuple[str, ...], included: tuple[str, ...]) -> str | None:
    word = table.text("when_spent")
    if word == "refuse":
        return None
    model = word.removeprefix(FALLBACK)
    if not word.startswith(FALLBACK):
        table.refuse(f"is “{word}”; it takes refuse, or {FALLBACK} and a model", "when_spent")
    if model not in included:
        table.refuse(f"falls back to “{model}”, which this plan does not include", "when_spent")
    if not models or model in models:
        table.refuse(f"falls back to “{model}”, which this limit counts as well", "when_spent")
    return model


def _developer(table: Table, models: tuple[str, ...], currencies: tuple[str, ...]) -> DeveloperTerms:
    credit = table.table("starter_credit")
    amounts: dict[str, Any] = {}  # Any: filled with checked numbers
    for currency in credit.values:
        if currency not in currencies:
            credit.refuse(f"is not a currency of the catalogue; known are {', '.join(currencies)}", currency)
        amounts[currency] = credit.whole(currency)
    terms = DeveloperTerms(starter_credit_micro=amounts, models=table.choices("models", models))
    table.refuse_rest()
    return terms
