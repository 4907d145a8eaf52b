"""Numbers and changes in words, in the reader's language."""

from datetime import date, datetime
from decimal import Decimal

from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.core.money import MICRO, decimal_from_micro, in_words
from apps.reporting.figures import Figure, Figures
from apps.reporting.metrics.base import Metric
from apps.reporting.metrics.rows import Cell, Kind


def exact_money(micro: int, currency: str) -> str:
    """An amount with all its decimals, for one row: the sum of rounded rows would not be the figure."""
    exact = (Decimal(abs(micro)) / MICRO).normalize()
    places = max(2, -int(exact.as_tuple().exponent))
    return f"{'−' if micro < 0 else ''}{currency.upper()} {formats.number_format(exact, places, force_grouping=True)}"


def cell(value: Cell, kind: Kind, currency: str) -> str:
    """One cell of a row."""
    if value is None:
        return "–"
    if isinstance(value, datetime):
        return formats.date_format(timezone.localtime(value), "Y-m-d H:i:s")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int):
        return exact_money(value, currency) if kind is Kind.MONEY else formats.number_format(value, force_grouping=True)
    return value


def total(value: int, metric: Metric, currency: str) -> str:
    """The figure that a page of rows belongs to."""
    return in_words(value, currency) if metric.unit.is_money else formats.number_format(value, force_grouping=True)


def amount(value: int, figure: Figure) -> str:
    """A value of a figure, as its unit is written."""
    return total(value, figure.metric, figure.currency)


def bare(value: int, figure: Figure) -> str:
    """A value in a table whose head names the currency."""
    if not figure.metric.unit.is_money:
        return amount(value, figure)
    shown = decimal_from_micro(abs(value))
    return ("−" if value < 0 and shown else "") + formats.number_format(shown, 2, force_grouping=True)


def change(figure: Figure) -> str:
    """How a figure moved against the period before: “+12 (+50 %)”, “no change”."""
    if not figure.change:
        return _("no change")
    sign = "+" if figure.change > 0 else "−"
    moved = f"{sign}{amount(abs(figure.change), figure)}"
    if figure.change_percent is None:
        return moved
    return f"{moved} ({sign}{formats.number_format(abs(figure.change_percent), 1)} %)"


def opening(figures: Figures) -> str:
    """The page in one or two sentences."""
    mrr = figures.get("mrr", figures.reporting_currency)
    return " ".join((_mrr_sentence(mrr), _paying_sentence(figures), _margin_sentence(figures)))


def _mrr_sentence(mrr: Figure) -> str:
    facts = {"mrr": amount(mrr.value, mrr), "change": amount(abs(mrr.change), mrr), "days": mrr.period.length}
    if mrr.change > 0:
        return _("MRR rose by {change} to {mrr} in {days} days.").format(**facts)
    if mrr.change < 0:
        return _("MRR fell by {change} to {mrr} in {days} days.").format(**facts)
    return _("MRR is {mrr}, as it was {days} days ago.").format(**facts)


def _paying_sentence(figures: Figures) -> str:
    paying, free = figures.get("paying_customers"), figures.get("free_accounts")
    text = ngettext("{paying} account pays,", "{paying} accounts pay,", paying.value)
    text += " " + ngettext("{free} is free.", "{free} are free.", free.value)
    return text.format(paying=amount(paying.value, paying), free=amount(free.value, free))


def _margin_sentence(figures: Figures) -> str:
    margin = figures.get("margin", figures.reporting_currency)
    cost = figures.get("model_cost", figures.reporting_currency)
    return _("Today's margin is {margin}, after {cost} for models.").format(
        margin=amount(margin.today, margin), cost=amount(cost.today, cost)
    )
