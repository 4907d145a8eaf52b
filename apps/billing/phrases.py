"""Limits in words, in the reader's language: what the pricing page promises and the plan page repeats."""

from collections.abc import Iterable, Iterator, Sequence

from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.billing import plans
from apps.billing.meters import Meter
from apps.billing.terms import Limit

DAYS_PER_WEEK = 7
UNITS_S = (("d", 86_400), ("h", 3_600), ("m", 60))


def lines(limits: Iterable[Limit]) -> Iterator[str]:
    """One line for all limits of the same meter and models, in the order in which the plan names them."""
    groups: dict[tuple[Meter, tuple[str, ...]], list[Limit]] = {}
    for limit in limits:
        groups.setdefault((limit.meter, limit.models), []).append(limit)
    for group in groups.values():
        yield _line(sorted(group, key=lambda limit: limit.window is not None and limit.window.total_seconds()))


def period(text: str) -> str:
    """How often a window comes: “every 3 hours”, “a week”."""
    number, unit = int(text[:-1]), text[-1]
    if unit == "d" and number % DAYS_PER_WEEK == 0:
        number, unit = number // DAYS_PER_WEEK, "w"
    texts = {
        "m": ngettext("a minute", "every %(number)d minutes", number),
        "h": ngettext("an hour", "every %(number)d hours", number),
        "d": ngettext("a day", "every %(number)d days", number),
        "w": ngettext("a week", "every %(number)d weeks", number),
    }
    return texts[unit] % {"number": number}


def period_s(seconds: int | None) -> str:
    """How often a window of that many seconds comes; nothing for what has no window."""
    if seconds is None:
        return ""
    unit, length_s = next(pair for pair in UNITS_S if seconds % pair[1] == 0)
    return period(f"{seconds // length_s}{unit}")


def model_name(key: str) -> str:
    """What a model is called; its key, where it has left the catalogue."""
    known = plans.catalogue().models.get(key)
    return str(known["name"]) if known else key


def _line(group: Sequence[Limit]) -> str:
    """“20 messages every 3 hours and 80 a week with Causerie Small”. The shortest window comes first."""
    meter, names = group[0].meter, " + ".join(model_name(key) for key in group[0].models)
    if any(limit.amount == 0 for limit in group):
        return _("%(things)s: not included") % {"things": things(meter)}
    text = _amounts(meter, [limit for limit in group if limit.amount is not None])
    if names:
        text = _("%(amount)s with %(models)s") % {"amount": text, "models": names}
    fallback = next((limit.fallback_model for limit in group if limit.fallback_model), None)
    if fallback is None:
        return text
    return _("%(line)s, then %(model)s answers") % {"line": text, "model": model_name(fallback)}


def _amounts(meter: Meter, counted: Sequence[Limit]) -> str:
    if not counted:
        return _("%(things)s without limit") % {"things": things(meter)}
    parts: list[str] = []
    for limit in counted:
        number = limit.amount or 0
        amount = _number(number) if parts else count(meter, number)
        parts.append(_("%(amount)s %(period)s") % {"amount": amount, "period": period(limit.window_text)})
    *before, last = parts
    return _("%(first)s and %(second)s") % {"first": ", ".join(before), "second": last} if before else last


def things(meter: Meter) -> str:
    """What a meter counts, as a heading: “Messages”."""
    return {
        Meter.MESSAGES: _("Messages"),
        Meter.TOKENS: _("Tokens"),
        Meter.IMAGES: _("Images"),
        Meter.SEARCHES: _("Web searches"),
        Meter.VOICE_SECONDS: _("Seconds of voice"),
        Meter.BATCH_TOKENS: _("Tokens in batches"),
    }[meter]


def count(meter: Meter, number: int) -> str:
    """A number with what it counts: “20 messages”."""
    match meter:
        case Meter.MESSAGES:
            text = ngettext("%(number)s message", "%(number)s messages", number)
        case Meter.IMAGES:
            text = ngettext("%(number)s image", "%(number)s images", number)
        case Meter.SEARCHES:
            text = ngettext("%(number)s web search", "%(number)s web searches", number)
        case Meter.VOICE_SECONDS:
            text = ngettext("%(number)s second of voice", "%(number)s seconds of voice", number)
        case _:
            text = ngettext("%(number)s token", "%(number)s tokens", number)
    return text % {"number": _number(number)}


def _number(number: int) -> str:
    return formats.number_format(number, use_l10n=True, force_grouping=True)
