"""The offer in words: what each plan costs and gives, as the pricing page says it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from apps.billing import phrases, plans
from apps.billing.models import Price
from apps.billing.terms import INTERVALS, PlanTerms
from apps.core.money import MICRO

SYMBOLS = {"usd": "$", "eur": "€", "gbp": "£"}
MINOR_PER_MAJOR = 100
MONTHS_PER_YEAR = 12
MINUS = "\u2212"


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


@dataclass(frozen=True)
class ApiRate:
    """What a million tokens of one model cost at the API, ready to be shown."""

    model: str
    input: str
    output: str


def offers(interval: str, currency: str) -> list[Offer]:
    """Every plan of the catalogue that is sold by this interval, and the one people have without paying."""
    catalogue = plans.catalogue()
    shown = [
        terms
        for terms in catalogue.plans.values()
        if terms.key == catalogue.default_plan or (interval, currency) in terms.prices
    ]
    return [_offer(terms, interval, currency) for terms in sorted(shown, key=lambda terms: terms.rank)]


def api_rates(currency: str) -> list[ApiRate]:
    """What the API charges for each model that is served here; nothing where nothing is sold."""
    catalogue = plans.catalogue()
    if not catalogue.sells:
        return []
    served = (key for key in catalogue.developer.models if plans.is_served(key))
    return [_api_rate(catalogue.models[key], currency) for key in served]


def gives(terms: PlanTerms) -> Iterator[str]:
    """What a plan gives, line by line: of any version of any plan, also of models that have left the catalogue."""
    catalogue = plans.catalogue()
    if catalogue.mode == "paid_only" and terms.key == catalogue.default_plan:
        yield _("Chatting begins with a paid plan")
        return
    yield from phrases.lines(limit for limit in terms.limits if not limit.models or any(map(_is_shown, limit.models)))
    words = {
        "priority": _("Goes first when many people are waiting"),
        "longer_answers": _("Longer answers"),
        "most_messages": _("The most of everything"),
    }
    yield from (words[feature] for feature in terms.features if feature in words)


def intervals() -> list[str]:
    """The intervals by which anything is sold."""
    sold = {interval for terms in plans.catalogue().plans.values() for interval, _currency in terms.prices}
    return [interval for interval in INTERVALS if interval in sold]


def money(amount_minor: int, currency: str) -> str:
    """An amount as people write it: $8, €79.20, −$4. Never a float, and no decimals where there are none."""
    major = Decimal(abs(amount_minor)) / MINOR_PER_MAJOR
    shown = _money(major, currency, least_digits=0 if amount_minor % MINOR_PER_MAJOR == 0 else 2)
    return f"{MINUS}{shown}" if amount_minor < 0 else shown


def price_in_words(price: Price) -> str:
    """“$8 a month”."""
    return f"{money(price.unit_amount_minor or 0, price.currency)} {per(price.interval)}"


def discount_in_words(coupon: Mapping[str, Any], currency: str) -> str:  # Any: JSON that sync wrote
    """“20 % off”, “$5 off”, with the name it was given where there is one."""
    percent = formats.localize(Decimal(coupon["percent_off"] or 0).normalize())
    off = {"percent": percent, "amount": money(coupon["amount_off_minor"], currency)}
    words = _("%(percent)s %% off") % off if coupon["percent_off"] else _("%(amount)s off") % off
    return f"{coupon['name']}: {words}" if coupon["name"] else words


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
        gives=tuple(gives(terms)),
        trial_days=terms.trial_days,
    )


def _note(terms: PlanTerms, interval: str, currency: str) -> str:
    year, month = terms.prices.get(("year", currency)), terms.prices.get(("month", currency))
    if interval != "year" or year is None:
        return ""
    words = _("%(amount)s a month, paid once a year") % {"amount": money(round(year / MONTHS_PER_YEAR), currency)}
    saved = (month or 0) * MONTHS_PER_YEAR - year
    return f"{words}. {_('You save %(amount)s.') % {'amount': money(saved, currency)}}" if saved > 0 else words


def _money(amount: Decimal, currency: str, *, least_digits: int) -> str:
    """With so many decimals, and with more where the amount has more."""
    exponent = amount.normalize().as_tuple().exponent
    digits = max(least_digits, -exponent if isinstance(exponent, int) else 0)
    number = formats.number_format(amount, decimal_pos=digits, use_l10n=True, force_grouping=True)
    symbol = SYMBOLS.get(currency)
    if symbol is None:
        return f"{number} {currency.upper()}"
    return pgettext("an amount of money", "%(symbol)s%(number)s") % {"symbol": symbol, "number": number}


def _api_rate(model: Mapping[str, Any], currency: str) -> ApiRate:  # Any: TOML that was checked when it was loaded
    priced_in = currency if currency in model["price"] else plans.catalogue().currencies[0]
    rates = model["price"][priced_in]
    shown = {side: _money(Decimal(rates[side]) / MICRO, priced_in, least_digits=2) for side in ("input", "output")}
    return ApiRate(model["name"], **shown)


def _is_shown(model: str) -> bool:
    """Nobody is promised what nobody serves; a model that left the catalogue is part of what somebody bought."""
    return model not in plans.catalogue().models or plans.is_served(model)
