"""Dimensions and their values as people know them."""

from collections.abc import Callable, Mapping

from babel import Locale
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from apps.billing import phrases, plans
from apps.chat.content_reports import VERDICTS
from apps.chat.models import ContentReport

DIMENSIONS: Mapping[str, Promise] = {
    "plan": _("Plan"),
    "interval": _("Interval"),
    "currency": _("Currency"),
    "country": _("Country"),
    "age": _("Customers"),
    "model": _("Model"),
    "backend": _("Back end"),
    "channel": _("Channel"),
    "provenance": _("Known from"),
    "reason": _("Reason"),
}
WORDS: Mapping[str, Mapping[str, Promise]] = {
    "interval": {"month": _("monthly"), "year": _("yearly"), "week": _("weekly"), "day": _("daily")},
    "age": {"new": _("new (30 days)"), "old": _("older")},
    "reason": {
        "checkout": _("bought"), "upgrade": _("upgrade"), "downgrade": _("downgrade"), "quantity": _("quantity"),
        "coupon": _("coupon"), "price_migration": _("price move"), "voluntary": _("cancelled"),
        "payment_failed": _("payment failed"), "dispute": _("dispute"), "paused": _("paused"), "resumed": _("resumed"),
        "requested_by_customer": _("asked for"), "duplicate": _("duplicate"), "fraudulent": _("fraud"),
        "messages": _("messages"), "input_tokens": _("tokens read"), "output_tokens": _("tokens written"),
        "merge": _("merged"), "staff": _("by staff"), "recovered": _("recovered"),
        **dict(ContentReport.Reason.choices),
        **{action: verdict.label for verdict, action in VERDICTS.items()},
    },
    "feedback": {
        "": _("said nothing"), "too_expensive": _("too expensive"), "missing_features": _("missing features"),
        "switched_service": _("another service"), "unused": _("not used"), "customer_service": _("customer service"),
        "too_complex": _("too complex"), "low_quality": _("low quality"), "other": _("something else"),
    },
    "channel": {"chat": _("chat"), "api": _("API"), "batch": _("batch")},
    "provenance": {"reported": _("reported"), "estimated": _("estimated"), "none": _("nothing came")},
}  # fmt: skip


def name_of(dimension: str, value: str) -> str:
    """A value of a dimension as people know it; one that nobody named as it is."""
    if not value and value not in WORDS.get(dimension, {}):
        return gettext("not known")
    return str(WORDS.get(dimension, {}).get(value) or SOURCES.get(dimension, str)(value))


def _plan(key: str) -> str:
    offered = plans.catalogue().plans
    return offered[key].name if key in offered else key


def _model(key: str) -> str:
    return phrases.model_name(key) if key in plans.catalogue().models else key


def _country(code: str) -> str:
    words = Locale.parse(get_language() or "en", sep="-").territories
    return str(words.get(code, code))


SOURCES: Mapping[str, Callable[[str], str]] = {
    "plan": _plan,
    "model": _model,
    "currency": str.upper,
    "country": _country,
}
