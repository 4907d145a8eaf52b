"""The console as JSON, under `/_sandbox/api/`: what tests and scripts drive the sandbox with."""

import json

from django.db import transaction
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from apps.stripe_sandbox import clocks, delivery, environment, ids, routes, start, store
from apps.stripe_sandbox.documents import Document, public
from apps.stripe_sandbox.models import Delivery, IdempotentCall, StoredObject
from apps.stripe_sandbox.resources import test_clocks, webhook_endpoints


class BadBody(ValueError):
    """The body of a call is not the JSON it should be."""


def read_body(request: HttpRequest) -> Document:
    """Read a JSON body. Only `application/json` is taken: a form on some other site cannot send that.

    Raises  BadBody: anything else.
    """
    if request.content_type != "application/json":
        raise BadBody("Send Content-Type: application/json.")
    try:
        body = json.loads(request.body or b"{}")
    except ValueError as problem:
        raise BadBody("The body is not JSON.") from problem
    if not isinstance(body, dict):
        raise BadBody("The body must be a JSON object.")
    return body


def refuse(problem: str) -> JsonResponse:
    """Answer 400 with a sentence."""
    return JsonResponse({"error": problem}, status=400)


@require_GET
def show_health(request: HttpRequest) -> JsonResponse:
    """Say that the sandbox works, and with which seed."""
    settings = environment.read()
    return JsonResponse(
        {
            "ok": True,
            "seed": settings.seed,
            "calm": settings.is_calm,
            "objects": start.objects_kept(),
            "calls_under_way": IdempotentCall.objects.filter(status=None).count(),
        }
    )


@csrf_exempt
@require_POST
def empty(request: HttpRequest) -> JsonResponse:
    """Forget everything but the endpoint named at start; with a `seed`, chance begins anew from it."""
    try:
        body = read_body(request)
    except BadBody as problem:
        return refuse(str(problem))
    if "seed" in body:
        ids.seed(f"{body['seed']}/0")
    start.empty(environment.read())
    return JsonResponse({"ok": True})


@csrf_exempt
@require_POST
def deliver(request: HttpRequest) -> JsonResponse:
    """Attempt every waiting letter once (or the first `limit`), in the order of the weather."""
    try:
        body = read_body(request)
    except BadBody as problem:
        return refuse(str(problem))
    letters = delivery.deliver_now(body.get("limit"))
    return JsonResponse({"deliveries": [describe_letter(letter) for letter in letters]})


@require_GET
def list_deliveries(request: HttpRequest) -> JsonResponse:
    """List letters, newest first."""
    letters = Delivery.objects.order_by("-id")[:200]
    return JsonResponse({"deliveries": [describe_letter(letter) for letter in letters]})


@require_GET
def show_delivery(request: HttpRequest, number: int) -> JsonResponse:
    """Show a letter with the body that it carries."""
    letter = Delivery.objects.filter(id=number).first()
    if letter is None:
        return JsonResponse({"error": "There is no such letter."}, status=404)
    return JsonResponse({**describe_letter(letter), "body": letter.body})


@csrf_exempt
@require_POST
def send_again(request: HttpRequest, number: int) -> JsonResponse:
    """Attempt one letter now, even one that arrived."""
    try:
        read_body(request)
    except BadBody as problem:
        return refuse(str(problem))
    letter = Delivery.objects.filter(id=number).first()
    if letter is None:
        return JsonResponse({"error": "There is no such letter."}, status=404)
    with delivery.open_client() as http:
        return JsonResponse(describe_letter(delivery.attempt(letter, http)))


@csrf_exempt
@require_POST
def roll_secret(request: HttpRequest, key: str) -> JsonResponse:
    """Give a webhook endpoint a new secret, as the Dashboard does, and show it."""
    try:
        read_body(request)
    except BadBody as problem:
        return refuse(str(problem))
    endpoint = store.find("webhook_endpoint", key)
    if endpoint is None:
        return JsonResponse({"error": "There is no such webhook endpoint."}, status=404)
    return JsonResponse({"secret": webhook_endpoints.roll(endpoint)})


@csrf_exempt
@require_POST
def open_clock(request: HttpRequest) -> JsonResponse:
    """Make a test clock for whoever will be made a customer with this `email`; once, the same again gives it back.

    `quiet`: what happens on it is written down, and neither delivered nor listed by the API.
    """
    try:
        body = read_body(request)
    except BadBody as problem:
        return refuse(str(problem))
    frozen_time, email, is_quiet = body.get("frozen_time"), body.get("email"), body.get("quiet", False)
    if type(frozen_time) is not int or not isinstance(email, str) or not email or not isinstance(is_quiet, bool):
        return refuse("`frozen_time` is a whole number of seconds, `email` an address, `quiet` true or false.")
    with transaction.atomic():
        known = clocks.find_waiting(email)
        made = known or test_clocks.open_clock(frozen_time, email, _awaits=email, _is_quiet=is_quiet)
    return JsonResponse(public(made), status=200 if known else 201)


@csrf_exempt
@require_POST
def end_quiet(request: HttpRequest) -> JsonResponse:
    """Let what happens from now on be told on every clock; what happened before stays untold."""
    try:
        read_body(request)
    except BadBody as problem:
        return refuse(str(problem))
    with transaction.atomic():
        return JsonResponse({"clocks": clocks.end_quiet()})


def describe_letter(letter: Delivery) -> Document:
    """Describe a letter as JSON."""
    return {
        "id": letter.id,
        "event": letter.event,
        "type": letter.event_type,
        "endpoint": letter.endpoint,
        "state": letter.state,
        "attempts": letter.attempts,
        "next_at": letter.next_at if letter.state == "pending" else None,
        "answer_status": letter.answer_status,
        "answer_text": letter.answer_text,
        "signature": letter.signature,
    }


@require_GET
def list_objects(request: HttpRequest, kind: str) -> JsonResponse:
    """List what is kept of one kind, newest first."""
    return JsonResponse({"objects": [public(body) for body in store.documents(store.select(kind)[:200])]})


@require_GET
def list_operations(request: HttpRequest) -> JsonResponse:
    """List what the API can do, and the parameters that each call takes."""
    return JsonResponse(
        {
            "operations": [
                {
                    "method": operation.method,
                    "pattern": operation.pattern,
                    "parameters": sorted(getattr(operation.reads, "names", ())),
                }
                for operation in routes.OPERATIONS
            ]
        }
    )


@require_GET
def list_kinds(request: HttpRequest) -> JsonResponse:
    """Count what is kept, by kind."""
    kinds = StoredObject.objects.values_list("kind", flat=True)
    counted: dict[str, int] = {}
    for kind in kinds:
        counted[kind] = counted.get(kind, 0) + 1
    return JsonResponse({"kinds": counted})
