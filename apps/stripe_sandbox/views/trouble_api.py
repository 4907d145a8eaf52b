"""Faults, violations, time and the Dashboard as JSON, under `/_sandbox/api/`: what tests stir the sandbox with."""

from collections.abc import Callable
from functools import wraps

from django.db import transaction
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from apps.stripe_sandbox import console, dashboard, faults, store
from apps.stripe_sandbox.documents import Document
from apps.stripe_sandbox.errors import StripeError
from apps.stripe_sandbox.models import Fault, Violation
from apps.stripe_sandbox.views.console_api import BadBody, read_body, refuse


def with_body(act: Callable[[Document], JsonResponse]) -> Callable[[HttpRequest], JsonResponse]:
    """Make an endpoint of what acts on a JSON body in one transaction; refusals are told as sentences."""

    @csrf_exempt
    @require_POST
    @wraps(act)
    def answer(request: HttpRequest) -> JsonResponse:
        try:
            body = read_body(request)
            with transaction.atomic():
                return act(body)
        except BadBody as problem:
            return refuse(str(problem))
        except StripeError as problem:
            return JsonResponse({"error": str(problem)}, status=problem.status)

    return answer


@with_body
def act_as_dashboard(body: Document) -> JsonResponse:
    """Do what one can do in Stripe's Dashboard: `action`, `id` (else the newest of its kind) and `params`."""
    params = body.get("params") or {}
    if not isinstance(params, dict):
        raise BadBody("`params` is an object.")
    return JsonResponse(dashboard.perform(str(body.get("action")), body.get("id"), params))


@with_body
def move_time(body: Document) -> JsonResponse:
    """Move the time of a `customer` or a `clock` `by` day, month or renewal; a customer without a clock gets one."""
    if "clock" in body:
        clock = store.get("test_helpers.test_clock", str(body["clock"]), param="clock")
        return JsonResponse(console.move_clock(clock, str(body.get("by"))))
    customer = store.get("customer", str(body.get("customer")), param="customer")
    return JsonResponse(console.move_time(customer, str(body.get("by"))))


@csrf_exempt
@require_http_methods(["GET", "POST", "DELETE"])
def keep_faults(request: HttpRequest) -> JsonResponse:
    """List, arm or forget faults."""
    if request.method == "GET":
        return JsonResponse({"faults": [describe_fault(fault) for fault in faults.armed()]})
    try:
        body = read_body(request)
    except BadBody as problem:
        return refuse(str(problem))
    if request.method == "DELETE":
        faults.disarm(body.get("id"))
        return JsonResponse({"faults": [describe_fault(fault) for fault in faults.armed()]})
    problem_found = find_nonsense(body)
    if problem_found:
        return refuse(problem_found)
    fault = faults.arm(body["kind"], body.get("count", 1), str(body.get("match", "")), body.get("params", {}))
    return JsonResponse(describe_fault(fault), status=201)


def find_nonsense(fault: Document) -> str:
    """Say what makes no sense about a fault to arm; nothing when all does."""
    if fault.get("kind") not in faults.KINDS:
        return f"`kind` is one of {', '.join(faults.KINDS)}."
    count, params = fault.get("count", 1), fault.get("params", {})
    if type(count) is not int or count < 1 or not isinstance(params, dict):
        return "`count` is a whole number from 1 up, `params` an object."
    if fault["kind"] == "dashboard" and params.get("action") not in dashboard.ACTIONS:
        return f"`params.action` is one of {', '.join(dashboard.ACTIONS)}."
    if fault["kind"] == "dashboard" and params.get("when", "before") not in ("before", "after"):
        return "`params.when` is before or after: the moment beside the next matching call."
    return ""


def describe_fault(fault: Fault) -> Document:
    """Describe a fault as JSON."""
    return {
        "id": fault.id,
        "kind": fault.kind,
        "left": fault.left,
        "match": fault.match,
        "params": fault.params,
    }


@csrf_exempt
@require_http_methods(["GET", "DELETE"])
def keep_violations(request: HttpRequest) -> JsonResponse:
    """List what Stripe's own description of its API forbids; DELETE forgets it, `?side=asked` only what was asked."""
    rows = Violation.objects.order_by("id")
    if "side" in request.GET:
        rows = rows.filter(side=request.GET["side"])
    found = [{"side": each.side, "where": each.where, "problem": each.problem} for each in rows[:200]]
    if request.method == "GET":
        return JsonResponse({"violations": found})
    with transaction.atomic():
        rows.delete()
    return JsonResponse({"forgotten": found})
