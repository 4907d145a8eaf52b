"""What differs between two terms of a plan, in words for who runs the catalogue. Pure."""

from collections.abc import Iterable, Iterator

from apps.billing.terms import Attachments, Limit, PlanTerms

PLAIN = (
    "name", "rank", "models", "queue", "concurrency", "context_tokens", "output_tokens", "api_requests_per_minute",
    "api_tokens_per_minute", "features", "trial_days",
)  # fmt: skip


def describe(before: PlanTerms, after: PlanTerms) -> str:
    """“messages (chat-small, 3h) 20 → 25; concurrency 1 → 2”; empty where they say the same."""
    return "; ".join([*_limits(before.limits, after.limits), *_plain(before, after), *_prices(before, after)])


def _plain(before: PlanTerms, after: PlanTerms) -> Iterator[str]:
    for name in PLAIN:
        yield from _change(name.replace("_", " "), _show(getattr(before, name)), _show(getattr(after, name)))
    yield from _change("attachments", _files(before.attachments), _files(after.attachments))


def _limits(before: Iterable[Limit], after: Iterable[Limit]) -> Iterator[str]:
    old, new = ({limit.key: limit for limit in limits} for limits in (before, after))
    for key in [*old, *(key for key in new if key not in old)]:
        was, becomes = old.get(key), new.get(key)
        named = becomes or was
        assert named is not None  # noqa: S101 each key is of one of the two
        what = f"{named.meter} ({' + '.join(named.models) or 'every model'}, {named.window_text})"
        yield from _change(what, _amount(was), _amount(becomes))
        if was and becomes:
            yield from _change(f"{what} when spent", _spent(was), _spent(becomes))


def _prices(before: PlanTerms, after: PlanTerms) -> Iterator[str]:
    for pair in [*before.prices, *(pair for pair in after.prices if pair not in before.prices)]:
        was, becomes = before.prices.get(pair), after.prices.get(pair)
        yield from _change(f"price a {pair[0]} in {pair[1]}", _show(was), _show(becomes))


def _change(what: str, was: str, becomes: str) -> Iterator[str]:
    if was != becomes:
        yield f"{what} {was} → {becomes}"


def _amount(limit: Limit | None) -> str:
    if limit is None:
        return "none"
    return "unlimited" if limit.amount is None else str(limit.amount)


def _spent(limit: Limit) -> str:
    return f"fallback:{limit.fallback_model}" if limit.fallback_model else limit.when_spent


def _files(found: Attachments) -> str:
    return f"{found.count} of {found.megabytes} MB ({', '.join(found.types)})" if found.count else "none"


def _show(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    return "none" if value is None else str(value)
