"""One call of the API: admit it, open its run, follow it to its end, stop it when nobody reads any more."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.billing import entitlements, plans
from apps.billing.plans import PlanTerms
from apps.core.errors import CauserieError, Invalid, Missing, Unavailable
from apps.developer import authentication, dialect, throttles
from apps.developer.dialect import ChatRequest
from apps.developer.shapes import End
from apps.developer.throttles import Allowance
from apps.inference import errors as inference_errors
from apps.inference import following, language_models, pricing, runs, steps
from apps.inference.calls import Completion, Prompt
from apps.inference.language_models import LanguageModel
from apps.inference.models import Run
from apps.inference.relay import Entry
from apps.usage import credits
from apps.usage import errors as usage_errors

JOB = "developer.complete_request"
FIRST_PATIENCE_S = 10.0  # then a stream begins without its first word: the connection must not look dead
ENDINGS = {"length": "length", "content_filter": "content_filter"}  # all else is a plain "stop"


@dataclass(frozen=True)
class Call:
    """One admitted call: what was asked, the run that answers it, and what is left of the minute."""

    request: ChatRequest
    run: Run
    allowance: Allowance | None


class Waiting:
    """Nothing came for a while; the answer is still being made."""


WAITING = Waiting()
Piece = str | End | Waiting


def offered_models() -> tuple[LanguageModel, ...]:
    """The models that the API sells and something here serves."""
    sold = plans.catalogue().developer.models
    return tuple(model for model in language_models.offered() if model.key in sold)


def get_model(key: str) -> LanguageModel:
    """Find a model that the API sells.

    Raises  Missing `model_not_found`.
    """
    for model in offered_models():
        if model.key == key:
            return model
    sentence = _("The model “%(model)s” does not exist here. GET /v1/models lists those that do.")
    raise Missing(sentence % {"model": key[:80]}, code="model_not_found")


def begin(authorization: str, body: bytes, *, now: datetime) -> Call:
    """Read a request, count it against the minute, and store that an answer is wanted.

    Effect  an act; the worker that takes the run reserves a slot and credit, and may still refuse.
    Raises  Unauthenticated, Invalid, TooLarge, Missing, TooFast: nothing was stored.
    """
    key = authentication.authenticate(authorization, now=now)
    account = key.account
    plan = credits.api_terms(account, entitlements.plan_for(account, now=now))
    asked = dialect.read_request(body)
    model = get_model(asked.model)
    input_tokens = pricing.estimate_input(asked.messages, model.tokenizer)
    room = model.context_tokens - input_tokens
    if room < 1:
        sentence = _("The messages are longer than the %(tokens)s tokens that this model can read.")
        raise Invalid(sentence % {"tokens": model.context_tokens}, field="messages", code="context_length_exceeded")
    request = replace(asked, max_tokens=min(asked.max_tokens or plan.output_tokens, room))
    allowance = throttles.admit(account.pk, plan, input_tokens + (request.max_tokens or 0), now=now)
    with transaction.atomic(durable=True):
        run = runs.open_run(
            account,
            channel=Run.Channel.API,
            job=JOB,
            model=model.key,
            plan=plan,
            request=request.as_json(),
            key_id=key.pk,
            now=now,
        )
    return Call(request, run, allowance)


def list_models(authorization: str, *, now: datetime) -> tuple[tuple[LanguageModel, ...], Allowance | None]:
    """The models that the API sells, for who has a key; counts as one request of the minute.

    Raises  Unauthenticated, TooFast.
    """
    account = authentication.authenticate(authorization, now=now).account
    plan = credits.api_terms(account, entitlements.plan_for(account, now=now))
    return offered_models(), throttles.admit(account.pk, plan, 0, now=now)


def prompt_of(run: Run, _plan: PlanTerms) -> Prompt:
    """What the engine sends: the request as it was stored, with only the options that were given."""
    request = ChatRequest.from_json(run.request)
    options = {"temperature": request.temperature, "top_p": request.top_p, "seed": request.seed}
    given: dict[str, object] = {name: value for name, value in options.items() if value is not None}
    if request.stop:
        given["stop"] = list(request.stop)
    affinity = f"{run.key_id} {request.messages[0].get('content', '')}"
    return Prompt(request.messages, request.max_tokens or 1, given, affinity=affinity)


def forget(run: Run, _completion: Completion) -> None:
    """Keep nothing of an API call but its counts: the request is dropped with the commit that settles it. A step."""
    Run.objects.filter(pk=run.pk).update(request={})


async def follow(call: Call, *, clock: Callable[[], datetime]) -> AsyncGenerator[Piece]:
    """Give the answer's text piece by piece, `End` last; `Waiting` when nothing came for a while.

    Effect  whoever stops reading early stops the run: what came until then is paid, nothing more.
    Raises  CauserieError: refused, or broken; also when a part that was already given had to be made anew.
    """
    transcript = _Transcript()
    is_over = False
    try:
        async with aclosing(following.follow(call.run)) as entries:
            async for entry in entries:
                is_over = is_over or (entry is not None and entry.is_terminal)
                piece = WAITING if entry is None else transcript.read(entry)
                if piece != "":
                    yield piece
    except CauserieError as error:
        error.headers |= call.allowance.headers() if call.allowance else {}  # a refusal tells them as an answer does
        raise
    finally:
        if not is_over:
            await asyncio.shield(steps.call(runs.request_stop, call.run, now=clock()))


async def collect(pieces: AsyncIterator[Piece]) -> tuple[str, End]:
    """The whole text and how it ended."""
    texts: list[str] = []
    async for piece in pieces:
        if isinstance(piece, End):
            return "".join(texts), piece
        if isinstance(piece, str):
            texts.append(piece)
    raise Unavailable  # a run's log always has a last word


async def first_of(pieces: AsyncIterator[Piece]) -> Piece:
    """The first word, or a refusal while it can still be a status; `Waiting` when neither comes soon."""
    patient_until = time.monotonic() + FIRST_PATIENCE_S
    async for piece in pieces:
        if not isinstance(piece, Waiting) or time.monotonic() > patient_until:
            return piece
    raise Unavailable


class _Transcript:
    """Turns a run's events into text that is only ever added to."""

    def __init__(self) -> None:
        self._text = ""

    def read(self, entry: Entry) -> Piece:
        match entry.kind:
            case "run.delta":
                self._text += entry.data["text"]
                return str(entry.data["text"])
            case "run.snapshot":
                return self._rest_of(entry.data["text"])
            case "run.restarted":
                return self._rest_of("") if self._text else WAITING
            case "run.finished" | "run.stopped":
                return _end(entry)
            case "run.failed":
                raise error_of(entry)
        return WAITING if entry.kind == "run.queued" else ""

    def _rest_of(self, whole: str) -> str:
        """What of the whole text was not given yet; a client cannot be asked to forget."""
        if not whole.startswith(self._text):
            raise Unavailable(_("The answer had to begin anew. Please send the request again."), code="restarted")
        rest, self._text = whole[len(self._text) :], whole
        return rest


def _end(entry: Entry) -> End:
    usage = entry.data["usage"]
    reason = ENDINGS.get(entry.data.get("finish_reason", ""), "stop")
    names = ("input_tokens", "output_tokens", "cached_input_tokens", "reasoning_tokens")
    return End(reason, *(usage.get(name, 0) for name in names))  # a log of the last release has two of them


def error_of(entry: Entry) -> CauserieError:
    """The error that ended a run, as the caller would have met it without a queue between."""
    facts = entry.data
    code, message = str(facts["code"]), str(facts["message"])
    if code in inference_errors.LIMIT_CODES:
        return usage_errors.refused_again(code, facts)
    if code == inference_errors.REFUSED:
        return Invalid(message, code=code)
    if code in ("model_not_found", "model_not_offered"):
        return Missing(message, code=code)
    return Unavailable(message, code=code)
