"""The plans of the catalogue's file become terms, or are refused."""

from collections.abc import Mapping

from apps.billing import plan_sense
from apps.billing.meters import LIMITED, Meter
from apps.billing.terms import (
    ATTACHABLE,
    FEATURES,
    INTERVALS,
    NO_ATTACHMENTS,
    QUEUES,
    Attachments,
    Limit,
    PlanTerms,
    window_of,
)
from apps.billing.toml_source import Table, show

UNLIMITED = "unlimited"
FALLBACK = "fallback:"


def read(table: Table, models: tuple[str, ...], currencies: tuple[str, ...], *, sells: bool) -> Mapping[str, PlanTerms]:
    """Read every plan.

    sells   false: nobody can buy anything, so prices are checked and left out.
    Raises  CatalogueError.
    """
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
        attachments=_attachments(table),
    )
    table.refuse_rest()
    plan_sense.check(table, plan, is_sold=table.has("prices"))
    return plan


def _attachments(table: Table) -> Attachments:
    if not table.has("attachments"):
        return NO_ATTACHMENTS
    raw = table.table("attachments")
    count = raw.whole("count")
    megabytes = raw.whole("megabytes", least=1 if count else 0, default=None if count else 0)
    types = raw.choices("types", ATTACHABLE, default=None if count else ())
    if count and not types:
        raw.refuse(f"is empty; it takes at least one of {', '.join(ATTACHABLE)}, or count = 0 for no files", "types")
    raw.refuse_rest()
    return Attachments(count, megabytes, types) if count else NO_ATTACHMENTS


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
