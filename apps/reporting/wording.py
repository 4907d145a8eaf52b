"""Numbers and changes in words, in the reader's language."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.core.money import MICRO, decimal_from_micro, in_words
from apps.reporting.figures import Figure, Figures
from apps.reporting.metrics.base import WHOLE, Metric, Unit
from apps.reporting.metrics.rows import Cell, Kind
from apps.reporting.models import AccuracyCheck
from apps.reporting.opened import kind_of


def exact_money(micro: int, currency: str) -> str:
    """An amount with all its decimals, for one row: the sum of rounded rows would not be the figure."""
    exact = (Decimal(abs(micro)) / MICRO).normalize()
    places = max(2, -int(exact.as_tuple().exponent))
    return f"{'−' if micro < 0 else ''}{currency.upper()} {formats.number_format(exact, places, force_grouping=True)}"


def cell(value: Cell, kind: Kind, currency: str) -> str:
    """One cell of a row, exactly."""
    if value is None:
        return "–"
    if isinstance(value, datetime):
        return formats.date_format(timezone.localtime(value), "Y-m-d H:i:s")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int):
        return exact_money(value, currency) if kind is Kind.MONEY else _number(value, kind)
    return value


def rounded(value: Cell, kind: Kind, currency: str = "") -> str:
    """One cell of a table of figures: money with two decimals; its currency where the head does not name it."""
    if isinstance(value, int) and kind is Kind.MONEY:
        return in_words(value, currency) if currency else _bare_money(value)
    return cell(value, kind, currency)


def total(value: int | None, metric: Metric, currency: str) -> str:
    """The figure that a page of rows belongs to."""
    if value is None:
        return _("n/a")
    return in_words(value, currency) if metric.unit.is_money else _number(value, kind_of(metric))


def amount(value: int | None, figure: Figure) -> str:
    """A value of a figure, as its unit is written."""
    return total(value, figure.metric, figure.currency)


@dataclass(frozen=True)
class Compared:
    """A comparison as it is shown."""

    currency: str
    ours: str
    theirs: str
    difference: str
    agrees: bool
    checked_at: datetime


def compared(row: AccuracyCheck, *, is_money: bool) -> Compared:
    """A comparison, exactly: a micro-unit that differs is seen."""

    def written(value: int) -> str:
        return exact_money(value, row.currency) if is_money else _number(value, Kind.COUNT)

    ours, theirs, difference = written(row.ours), written(row.theirs), written(row.ours - row.theirs)
    return Compared(row.currency, ours, theirs, difference, row.agrees, row.checked_at)


def bare(value: int | None, figure: Figure) -> str:
    """A value in a table whose head names the currency."""
    if value is None or not figure.metric.unit.is_money:
        return amount(value, figure)
    return _bare_money(value)


def change(figure: Figure) -> str:
    """How a figure moved against the period before: “+12 (+50 %)”, “no change”."""
    moved = figure.change
    if moved is None:
        return _("n/a")
    if not moved:
        return _("no change")
    sign = "+" if moved > 0 else "−"
    if figure.metric.unit is Unit.RATIO:
        points = _with_places(abs(Decimal(moved)) * 100 / WHOLE, 1)
        return _("{sign}{points} points").format(sign=sign, points=points)
    words = f"{sign}{amount(abs(moved), figure).removeprefix('< ')}"
    if figure.change_percent is None:
        return words
    return f"{words} ({sign}{_with_places(abs(Decimal(figure.change_percent)), 1)} %)"


def _with_places(value: Decimal, places: int) -> str:
    """Rounded half up; Django's own formats cut off what is too much."""
    return formats.number_format(value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP), places)


def _bare_money(value: int) -> str:
    shown = decimal_from_micro(abs(value))
    return ("−" if value < 0 and shown else "") + formats.number_format(shown, 2, force_grouping=True)


def _number(value: int, kind: Kind) -> str:
    if kind is Kind.RATIO:
        sign = "−" if value < 0 else ""
        return f"{sign}{_with_places(abs(Decimal(value)) * 100 / WHOLE, 1)} %"
    if kind is Kind.TIMES:
        return f"{'−' if value < 0 else ''}{formats.number_format(abs(decimal_from_micro(value)), 2)}"
    if kind is Kind.MILLISECONDS:
        return f"{formats.number_format(value, force_grouping=True)} ms"
    return ("−" if value < 0 else "") + formats.number_format(abs(value), force_grouping=True)


def opening(figures: Figures) -> str:
    """The first page in a few sentences."""
    mrr = figures.leading("mrr")
    return " ".join((_mrr_sentence(mrr), _paying_sentence(figures), _margin_sentence(figures)))


def _mrr_sentence(mrr: Figure) -> str:
    moved = mrr.change or 0
    facts = {"mrr": amount(mrr.value, mrr), "change": amount(abs(moved), mrr), "days": mrr.period.length}
    if moved > 0:
        return _("MRR rose by {change} to {mrr} in {days} days.").format(**facts)
    if moved < 0:
        return _("MRR fell by {change} to {mrr} in {days} days.").format(**facts)
    return _("MRR is {mrr}, as it was {days} days ago.").format(**facts)


def _paying_sentence(figures: Figures) -> str:
    paying, free = figures.get("paying_customers"), figures.get("free_accounts")
    text = ngettext("{paying} account pays,", "{paying} accounts pay,", paying.value or 0)
    text += " " + ngettext("{free} is free.", "{free} are free.", free.value or 0)
    return text.format(paying=amount(paying.value, paying), free=amount(free.value, free))


def _margin_sentence(figures: Figures) -> str:
    margin, cost = figures.leading("margin"), figures.leading("model_cost")
    return _("Today's margin is {margin}, after {cost} for models.").format(
        margin=amount(margin.today, margin), cost=amount(cost.today, cost)
    )
