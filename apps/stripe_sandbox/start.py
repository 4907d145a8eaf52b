"""What is made ready when the sandbox starts, and when it is emptied."""

from django.db import transaction

from apps.stripe_sandbox import call_judge, faults, idempotency, specification, validation
from apps.stripe_sandbox.environment import Environment, Refused
from apps.stripe_sandbox.errors import StripeError
from apps.stripe_sandbox.models import Delivery, Fault, IdempotentCall, MeterEvent, StoredObject, Violation
from apps.stripe_sandbox.resources import webhook_endpoints


def prepare(settings: Environment) -> None:
    """Free what a stopped run left, register the endpoint that was named, and load the judge when asked.

    Raises  Refused: the endpoint is not on this machine, or the judge has no description to go by.
    """
    idempotency.forget_unfinished()
    faults.recall()
    _register(settings)
    _seat_judges(settings)


def _seat_judges(settings: Environment) -> None:
    is_at_hand = specification.is_at_hand(settings.spec_folder)
    if settings.checks_answers == "yes" and not is_at_hand:
        raise Refused(f"SANDBOX_CHECK_ANSWERS needs Stripe's description in {settings.spec_folder}.")
    if is_at_hand and settings.checks_answers != "no":
        validation.court.of_calls = call_judge.CallJudge(settings.spec_folder)
        validation.court.of_answers = specification.Judge(settings.spec_folder)
        validation.court.every = 1 if settings.checks_answers == "yes" else validation.SAMPLE


def say_unjudged(settings: Environment) -> str:
    """Say once why nothing is held to Stripe's description."""
    if settings.checks_answers == "no":
        return "Calls and answers are not judged: SANDBOX_CHECK_ANSWERS is “no”."
    return f"Calls and answers are not judged: Stripe's description of its API is not in {settings.spec_folder}."


def _register(settings: Environment) -> None:
    if not settings.webhook_url:
        return
    try:
        webhook_endpoints.register_once(settings.webhook_url, settings.webhook_secret)
    except StripeError as problem:
        raise Refused(str(problem)) from problem


@transaction.atomic
def empty(settings: Environment) -> None:
    """Forget everything but the endpoint that was named at start."""
    for table in (StoredObject, Delivery, IdempotentCall, MeterEvent, Fault, Violation):
        table.objects.all().delete()
    _register(settings)


def objects_kept() -> int:
    """Count what is there: chance begins anew from the seed and this number, so ids never repeat."""
    return StoredObject.objects.count()
