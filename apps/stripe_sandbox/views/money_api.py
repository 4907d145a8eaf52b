"""What a bank, or the Dashboard, does with money, as JSON under `/_sandbox/api/`."""

from collections.abc import Callable

from django.db import transaction
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from apps.stripe_sandbox import clocks, disputes, store
from apps.stripe_sandbox.documents import Document, public
from apps.stripe_sandbox.errors import StripeError
from apps.stripe_sandbox.views.console_api import BadBody, read_body, refuse


@csrf_exempt
@require_POST
def open_dispute(request: HttpRequest, key: str) -> JsonResponse:
    """Dispute a charge: `reason` (fraudulent without it), and `inquiry` true when the bank only asks."""

    def act(charge: Document, body: Document) -> Document:
        customer = store.find("customer", charge["customer"])
        return disputes.open_dispute(
            charge,
            str(body.get("reason", "fraudulent")),
            is_inquiry=body.get("inquiry") is True,
            now=clocks.time_of_customer(customer),
        )

    return _answer(request, "charge", key, act)


@csrf_exempt
@require_POST
def decide_dispute(request: HttpRequest, key: str) -> JsonResponse:
    """End a dispute; `outcome` is won, lost, prevented or warning_closed."""

    def act(dispute: Document, body: Document) -> Document:
        return disputes.decide(dispute, str(body.get("outcome")), now=clocks.time_on(dispute["_clock"]))

    return _answer(request, "dispute", key, act)


def _answer(request: HttpRequest, kind: str, key: str, act: Callable[[Document, Document], Document]) -> JsonResponse:
    try:
        body = read_body(request)
        with transaction.atomic():
            return JsonResponse(public(act(store.get(kind, key), body)))
    except BadBody as problem:
        return refuse(str(problem))
    except StripeError as problem:
        return JsonResponse({"error": str(problem)}, status=problem.status)
