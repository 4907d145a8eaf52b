from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from apps.accounts.gates import staff_may
from apps.billing import plans
from apps.core import clock, money
from apps.core.errors import Invalid
from apps.reporting import days, fill, names, what_if, wording
from apps.reporting.days import Period
from apps.reporting.metrics.rows import Kind
from apps.reporting.scope import Scope
from apps.reporting.sheets.register import SHEETS
from apps.reporting.what_if import Line, Outcome, Wish

VIEW = "reporting.view_reports"
BAD_REQUEST, NOTHING = 400, Line(0, 0, 0, 0, 0)


@require_GET
@staff_may(VIEW)
def show_what_if(request: HttpRequest) -> HttpResponse:
    now, currency, wish, refusal = clock.now(), plans.catalogue().currencies[0], Wish(), ""
    fill.refresh_today(now=now)
    try:
        wish = what_if.read_wish(request.GET, currency=currency)
    except Invalid as error:
        refusal = str(error.sentence)
    today = days.day_of(now)
    outcomes = what_if.read_outcomes(wish, Scope(Period(today, today), now, currency))
    context = {
        **admin.site.each_context(request),
        "title": _("What if"),
        "sheets": SHEETS.values(),
        "refusal": refusal,
        "currency": currency,
        "month": f"{what_if.month_of_basis(today):%Y-%m}",
        "plans": [_plan(one, request) for one in outcomes],
        "moving": [_plan(one, request) for one in outcomes if NOTHING not in (one.now, one.then)],
        **_total(outcomes, currency),
        "leaving": request.GET.get("leaving", ""),
        "cost": request.GET.get("cost", ""),
    }
    return render(request, "reporting/what_if.html", context, status=BAD_REQUEST if refusal else 200)


def _total(outcomes: list[Outcome], currency: str) -> dict[str, object]:
    before = sum((one.now for one in outcomes), NOTHING)
    after = sum((one.then for one in outcomes), NOTHING)
    margins = {"before": before.margin_micro, "after": after.margin_micro}
    words = {name: money.in_words(value, currency) for name, value in margins.items()}
    return {"total": _lines(before, after), "margins": words}


def _plan(one: Outcome, request: HttpRequest) -> dict[str, object]:
    return {
        "key": one.plan,
        "name": names.name_of("plan", one.plan),
        "price": "" if one.price_micro is None else f"{money.decimal_from_micro(one.price_micro)}",
        "wanted_price": request.GET.get(f"price_{one.plan}", ""),
        "wanted_messages": request.GET.get(f"messages_{one.plan}", ""),
        "accounts": one.accounts,
        "stopped": one.stopped,
        "lines": _lines(one.now, one.then),
    }


def _lines(before: Line, after: Line) -> list[dict[str, str]]:
    """Each number now, then, and by how much it moves."""
    titles = {
        "subscriptions": _("Subscriptions"), "mrr_micro": _("MRR"), "messages": _("Messages"),
        "model_cost_micro": _("Model cost"), "infrastructure_micro": _("Infrastructure"), "margin_micro": _("Margin"),
    }  # fmt: skip
    return [_line(name, title, getattr(before, name), getattr(after, name)) for name, title in titles.items()]


def _line(name: str, title: str, before: int, after: int) -> dict[str, str]:
    kind = Kind.MONEY if name.endswith("_micro") else Kind.COUNT
    moved = wording.rounded(after - before, kind)
    return {
        "title": title,
        "now": wording.rounded(before, kind),
        "then": wording.rounded(after, kind),
        "change": f"+{moved}" if after > before else moved,
    }
