"""What is written correctly and still makes no sense: limits of a plan that contradict each other are refused."""

from apps.billing.terms import Limit, PlanTerms
from apps.billing.toml_source import Table


def check(table: Table, plan: PlanTerms, *, is_sold: bool) -> None:
    """Look at a plan as a whole.

    table   where it stands in the file.
    Raises  CatalogueError.
    """
    limits = list(zip(table.tables("limit"), plan.limits, strict=True))
    for raw, limit in limits:
        _check_cap(raw, limit, plan)
        _check_fallback(raw, limit, plan)
    if is_sold:
        _check_gives(table, plan)


def _check_cap(raw: Table, limit: Limit, plan: PlanTerms) -> None:
    """A shorter window cannot give what a longer one never allows."""
    for cap in plan.limits:
        if not _caps(cap, limit) or cap.amount is None:
            continue
        if limit.amount is None or limit.amount > cap.amount:
            gives = "unlimited" if limit.amount is None else limit.amount
            reason = f"gives {gives} every {limit.window_text}, though {cap.amount} every {cap.window_text} is the most"
            raw.refuse(f"{reason} this plan allows of the same; give less here, or more there", "amount")


def _caps(cap: Limit, limit: Limit) -> bool:
    """Whether everything that counts towards a limit counts towards the cap as well, and over a longer time."""
    if cap.window is None or limit.window is None or cap.meter != limit.meter or cap.window <= limit.window:
        return False
    return not cap.models or (bool(limit.models) and set(limit.models) <= set(cap.models))


def _check_fallback(raw: Table, limit: Limit, plan: PlanTerms) -> None:
    smaller = limit.fallback_model
    if smaller is None:
        return
    if not _is_covered(plan, smaller):
        reason = f"falls back to “{smaller}”, of which no limit of this plan gives anything; say how much it includes"
        raw.refuse(reason, "when_spent")
    if circle := _way_back(limit, smaller, plan):
        words = " → ".join((circle[-1], *circle))
        raw.refuse(f"falls back in a circle ({words}); the last model of a chain takes refuse", "when_spent")


def _way_back(limit: Limit, smaller: str, plan: PlanTerms) -> tuple[str, ...]:
    """The models from a fallback to a model that the limit itself counts; nothing where the chain ends."""
    ways: list[tuple[str, ...]] = [(smaller,)]
    seen: set[str] = set()
    while ways:
        way = ways.pop()
        if way[-1] in limit.models:
            return way
        if way[-1] not in seen:
            seen.add(way[-1])
            following = [one.fallback_model for one in plan.limits if way[-1] in one.models and one.fallback_model]
            ways += [(*way, model) for model in following]
    return ()


def _check_gives(table: Table, plan: PlanTerms) -> None:
    """Who pays for a plan must be able to use each of its models."""
    if not plan.limits:
        table.refuse(
            "has prices and no limit, so nothing of it could be used; it takes at least one [[limit]], with "
            "amount = “unlimited” for what is not counted"
        )
    for model in plan.models:
        if not _is_covered(plan, model):
            reason = f"names “{model}”, of which no limit of this plan gives anything; say how much it includes"
            table.refuse(reason, "models")


def _is_covered(plan: PlanTerms, model: str) -> bool:
    return any(limit.amount != 0 for limit in plan.limits if limit.covers(limit.meter, model))
