"""The console's pages: what is kept, what happened, and what is on its way."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from apps.stripe_sandbox import clocks, console, environment, faults, store
from apps.stripe_sandbox.documents import Document, public
from apps.stripe_sandbox.models import Delivery, StoredObject, Violation
from apps.stripe_sandbox.views.answers import show

if TYPE_CHECKING:
    from django.db.models import QuerySet

SHOWN = 50
STATES = ("pending", "succeeded", "failed")


def show_page(request: HttpRequest, page: str, context: Mapping[str, object], *, status: int = 200) -> HttpResponse:
    """Draw a page of the console with its navigation; what waits for somebody stands there as a number."""
    counts = {"violations": Violation.objects.count(), "faults": len(faults.armed())}
    return show(request, f"console/{page}", {"section": page, "counts": counts, **context}, status=status)


@require_GET
def look(request: HttpRequest) -> HttpResponse:
    """Show how things stand, and what happened last."""
    context = {
        "settings": environment.read(),
        "figures": console.count_all(),
        "events": store.documents(store.select("event")[:12]),
    }
    return show_page(request, "overview", context)


@require_GET
def list_customers(request: HttpRequest) -> HttpResponse:
    """List customers, those whose address or id holds what is looked for."""
    wanted = request.GET.get("q", "").strip()
    found = (
        store.select("customer", Q(body__email__icontains=wanted) | Q(key=wanted))
        if wanted
        else store.select("customer")
    )
    rows, older = _page(request, found)
    return show_page(
        request,
        "customers",
        {"customers": [console.describe_customer(each) for each in rows], "q": wanted, "older": older},
    )


@require_GET
def show_customer(request: HttpRequest, key: str) -> HttpResponse:
    """Show one customer with all that is theirs, and what can be done to it."""
    customer = find("customer", key)
    context = {
        **console.describe_customer(customer),
        **console.list_belongings(customer),
        "prices": console.list_prices(),
    }
    return show_page(request, "customer", {**context, "section": "customers"})


@require_GET
def list_events(request: HttpRequest) -> HttpResponse:
    """List events, of one type or one customer if asked."""
    kind, customer = request.GET.get("type", "").strip(), request.GET.get("customer")
    values = {"body__type__startswith": kind or None, "customer": customer or None}
    rows, older = _page(request, store.select("event", **values))
    return show_page(request, "events", {"events": rows, "type": kind, "customer": customer, "older": older})


@require_GET
def show_event(request: HttpRequest, key: str) -> HttpResponse:
    """Show one event with its payload, and its letters."""
    event = find("event", key)
    letters = Delivery.objects.filter(event=key).order_by("id")
    context = {"event": event, "body": public(event), "letters": letters, "section": "events"}
    return show_page(request, "event", context)


@require_GET
def list_deliveries(request: HttpRequest) -> HttpResponse:
    """List letters to webhook endpoints, and the endpoints."""
    state = request.GET.get("state", "")
    letters = Delivery.objects.order_by("-id")
    context = {
        "letters": (letters.filter(state=state) if state in STATES else letters)[:SHOWN],
        "state": state if state in STATES else "",
        "endpoints": store.documents(store.select("webhook_endpoint")),
    }
    return show_page(request, "deliveries", context)


@require_GET
def show_delivery(request: HttpRequest, number: int) -> HttpResponse:
    """Show one letter: what was sent, what came back, when it goes out again."""
    letter = Delivery.objects.filter(id=number).first()
    if letter is None:
        raise Http404
    endpoint = store.find("webhook_endpoint", letter.endpoint)
    return show_page(request, "delivery", {"letter": letter, "endpoint": endpoint, "section": "deliveries"})


@require_GET
def list_clocks(request: HttpRequest) -> HttpResponse:
    """List test clocks and who lives on them."""
    rows, older = _page(request, store.select(clocks.KIND))
    return show_page(request, "clocks", {"clocks": [console.describe_clock(each) for each in rows], "older": older})


@require_GET
def list_prices(request: HttpRequest) -> HttpResponse:
    """List what is sold."""
    return show_page(request, "prices", {"prices": console.list_prices(active_only=False)})


@require_GET
def show_object(request: HttpRequest, key: str) -> HttpResponse:
    """Show any object as Stripe's JSON."""
    row = StoredObject.objects.filter(key=key).first()
    if row is None:
        raise Http404
    return show_page(request, "object", {"key": key, "kind": row.kind, "body": public(row.body), "section": ""})


def find(kind: str, key: str) -> Document:
    """Give a document, or the page that says that it is not there."""
    body = store.find(kind, key)
    if body is None:
        raise Http404
    return body


def _page(request: HttpRequest, rows: "QuerySet[StoredObject]") -> tuple[list[Document], str]:
    """Give a page of rows from `?before=` on, and where the next one begins."""
    before = StoredObject.objects.filter(key=request.GET.get("before", "")).values_list("seq", flat=True).first()
    found = store.documents((rows.filter(seq__lt=before) if before else rows)[: SHOWN + 1])
    if len(found) <= SHOWN:
        return found, ""
    query = request.GET.copy()
    query["before"] = found[SHOWN - 1]["id"]
    return found[:SHOWN], query.urlencode()
