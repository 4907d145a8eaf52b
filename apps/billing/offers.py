"""The offer in words: what each plan costs and gives, as the pricing page says it."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from apps.billing import plans
from apps.billing.meters import Meter
from apps.billing.terms import INTERVALS, Limit, PlanTerms

SYMBOLS = {"usd": "$", "eur": "€", "gbp": "£"}
MINOR_PER_MAJOR = 100
MONTHS_PER_YEAR = 12


@dataclass(frozen=True)
class Offer:
    """One plan, ready to be shown. `price` is empty for a plan that costs nothing."""

    key: str
    name: str
    price: str
    per: str  # “a month”
    note: str  # below the price; may be empty
    gives: tuple[str, ...]  # one line each
    trial_days: int

    @property
    def is_sold(self) -> bool:
        """Whether it can be bought."""
        return bool(self.price)


def offers(interval: str, currency: str) -> list[Offer]:
    """Every plan of the catalogue that is sold by this interval, and the one people have without paying."""
    catalogue = plans.catalogue()
    shown = [terms for terms in catalogue.plans.values() if not terms.prices or (interval, currency) in terms.prices]
    return [_offer(terms, interval, currency) for terms in sorted(shown, key=lambda terms: terms.rank)]


def intervals() -> list[str]:
    """The intervals by which anything is sold."""
    sold = {interval for terms in plans.catalogue().plans.values() for interval, _currency in terms.prices}
    return [interval for interval in INTERVALS if interval in sold]


def money(amount_minor: int, currency: str) -> str:
    """An amount as people write it: $8, €79.20. Never a float, and no decimals where there are none."""
    major = Decimal(amount_minor) / MINOR_PER_MAJOR
    digits = 0 if amount_minor % MINOR_PER_MAJOR == 0 else 2
    number = formats.number_format(major, decimal_pos=digits, use_l10n=True, force_grouping=True)
    symbol = SYMBOLS.get(currency)
    if symbol is None:
        return f"{number} {currency.upper()}"
    return pgettext("an amount of money", "%(symbol)s%(number)s") % {"symbol": symbol, "number": number}


def per(interval: str) -> str:
    """“a month” or “a year”."""
    return _("a year") if interval == "year" else _("a month")


def _offer(terms: PlanTerms, interval: str, currency: str) -> Offer:
    amount_minor = terms.prices.get((interval, currency))
    return Offer(
        key=terms.key,
        name=terms.name,
        price="" if amount_minor is None else money(amount_minor, currency),
        per="" if amount_minor is None else per(interval),
        note=_note(terms, interval, currency),
        gives=tuple(_gives(terms)),
        trial_days=terms.trial_days,
    )


def _note(terms: PlanTerms, interval: str, currency: str) -> str:
    year, month = terms.prices.get(("year", currency)), terms.prices.get(("month", currency))
    if interval != "year" or year is None:
        return ""
    words = _("%(amount)s a month, paid once a year") % {"amount": money(round(year / MONTHS_PER_YEAR), currency)}
    saved = (month or 0) * MONTHS_PER_YEAR - year
    return f"{words}. {_('You save %(amount)s.') % {'amount': money(saved, currency)}}" if saved > 0 else words


def _gives(terms: PlanTerms) -> Iterable[str]:
    if plans.catalogue().mode == "paid_only" and not terms.prices:
        yield _("Chatting begins with a paid plan")
        return
    for limit in terms.limits:
        if not limit.models or any(plans.is_served(model) for model in limit.models):
            yield _limit(limit)
    words = {
        "priority": _("Goes first when many people are waiting"),
        "longer_answers": _("Longer answers"),
        "most_messages": _("The most of everything"),
    }
    yield from (words[feature] for feature in terms.features)


def _limit(limit: Limit) -> str:
    """“20 messages every 3 hours with Causerie Small”."""
    models = plans.catalogue().models
    names = " + ".join(str(models[key]["name"]) for key in limit.models)
    words = {"amount": _amount(limit), "window": window_words(limit.window_text), "models": names}
    if limit.amount == 0:
        return words["amount"]
    if limit.amount is None:
        return _("%(amount)s with %(models)s") % words if names else words["amount"]
    text = _("%(amount)s every %(window)s with %(models)s") if names else _("%(amount)s every %(window)s")
    line = text % words
    if limit.fallback_model:
        return _("%(line)s, then %(model)s answers") % {"line": line, "model": models[limit.fallback_model]["name"]}
    return line


def _amount(limit: Limit) -> str:
    things = {
        Meter.MESSAGES: _("Messages"),
        Meter.TOKENS: _("Tokens"),
        Meter.IMAGES: _("Images"),
        Meter.SEARCHES: _("Web searches"),
        Meter.VOICE_SECONDS: _("Seconds of voice"),
        Meter.BATCH_TOKENS: _("Tokens in batches"),
    }
    if limit.amount is None:
        return _("%(things)s without limit") % {"things": things[limit.meter]}
    if limit.amount == 0:
        return _("%(things)s: not included") % {"things": things[limit.meter]}
    return _count(limit.meter, limit.amount)


def _count(meter: Meter, number: int) -> str:
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
    return text % {"number": formats.number_format(number, use_l10n=True, force_grouping=True)}


def window_words(text: str) -> str:
    """“3 hours”, “hour”: what follows “every”."""
    number, unit = int(text[:-1]), text[-1]
    texts = {
        "m": ngettext("minute", "%(number)d minutes", number),
        "h": ngettext("hour", "%(number)d hours", number),
        "d": ngettext("day", "%(number)d days", number),
    }
    return texts[unit] % {"number": number}
