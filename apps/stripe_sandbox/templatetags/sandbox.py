"""How templates write money and moments."""

import json
from datetime import datetime

from django import template
from django.utils import formats, translation

from apps.stripe_sandbox import clock, invoicing
from apps.stripe_sandbox.documents import Document

register = template.Library()


@register.filter
def money(amount: int, currency: str) -> str:
    """Write minor units as an amount, in the reader's language."""
    if (translation.get_language() or "").startswith("fr"):
        whole, cents = divmod(abs(amount), 100)
        sign = "\N{MINUS SIGN}" if amount < 0 else ""
        return f"{sign}{whole},{cents:02}\N{NO-BREAK SPACE}{invoicing.SYMBOLS.get(currency, currency.upper())}"
    return invoicing.format_amount(amount, currency)


@register.filter
def price_label(price: Document) -> str:
    """Write what one unit of a price costs; usage may cost fractions of a cent, tiers have no one amount."""
    if price.get("unit_amount") is not None:
        return money(price["unit_amount"], price["currency"])
    fraction = price.get("unit_amount_decimal")
    return f"{fraction} ¢ {price['currency'].upper()}" if fraction else str(price["currency"]).upper()


@register.filter
def in_list(letter: object) -> list[object]:
    """Make a list of one, for a template that draws lists."""
    return [letter]


@register.filter
def as_line(document: Document) -> str:
    """Write a small document on one line."""
    return json.dumps(document, ensure_ascii=False)


@register.filter
def moment(seconds: float | None) -> datetime | None:
    """Turn seconds since 1970 into a datetime."""
    return clock.as_date(int(seconds)) if seconds is not None else None


@register.filter
def day(seconds: int) -> str:
    """Write the day of a moment, in the reader's language."""
    return str(formats.date_format(clock.as_date(seconds), "DATE_FORMAT"))


@register.filter
def as_json(document: Document) -> str:
    """Write a document so that it can be read."""
    return json.dumps(document, indent=2, ensure_ascii=False)
