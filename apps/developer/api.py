"""The OpenAI-compatible face. Views wait on the event loop; rules run on threads and give their connection back."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from functools import wraps
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt

from apps.core import answers, clock, sse
from apps.core.errors import CauserieError, Missing, TooLarge
from apps.developer import authentication, completions, dialect, shapes
from apps.developer.completions import Call, Piece, Waiting
from apps.developer.shapes import Chunks, End
from apps.developer.throttles import Allowance
from apps.inference import steps

View = Callable[..., Coroutine[Any, Any, HttpResponseBase]]  # Any: what a coroutine is sent, which is nothing


def openai_edge(method: str | None) -> Callable[[View], View]:
    def wrap(view: View) -> View:
        @csrf_exempt  # no cookie opens these doors, so none can be misused
        @wraps(view)
        async def answer(request: HttpRequest, **where: str) -> HttpResponseBase:
            if method is not None and request.method != method:
                return JsonResponse(shapes.wrong_method(method), status=405, headers={"Allow": method})
            try:
                return await view(request, **where)
            except CauserieError as error:
                return answers.answer_error(request, error)

        return answer

    return wrap


@openai_edge("GET")
async def list_models(request: HttpRequest) -> HttpResponseBase:
    offered, allowance = await steps.call(completions.list_models, _authorization(request), now=clock.now())
    response = JsonResponse(shapes.models((model.key, _catalogue_time()) for model in offered))
    return _add_headers(response, allowance)


@openai_edge("GET")
async def show_model(request: HttpRequest, key: str) -> HttpResponseBase:
    _offered, allowance = await steps.call(completions.list_models, _authorization(request), now=clock.now())
    model = await steps.call(completions.get_model, key)
    return _add_headers(JsonResponse(shapes.model(model.key, _catalogue_time())), allowance)


@openai_edge("POST")
async def create_completion(request: HttpRequest) -> HttpResponseBase:
    if int(request.META.get("CONTENT_LENGTH") or 0) > dialect.BODY_LIMIT_BYTES:
        raise TooLarge(_("The request is larger than 1 MiB."))
    call = await steps.call(completions.begin, _authorization(request), request.body, now=clock.now())
    pieces = completions.follow(call, clock=clock.now)
    if call.request.is_stream:
        first = await completions.first_of(pieces)
        stream = _frames(call, first, pieces)
        response: HttpResponseBase = StreamingHttpResponse(
            stream, content_type="text/event-stream", headers=sse.HEADERS
        )
    else:
        text, end = await completions.collect(pieces)
        response = JsonResponse(shapes.completion(call.run.pk, call.request, _created(call), text, end))
    return _add_headers(response, call.allowance)


@openai_edge(None)
async def refuse_address(request: HttpRequest, rest: str) -> HttpResponseBase:
    await steps.call(authentication.authenticate, _authorization(request), now=clock.now())
    raise Missing(_("There is nothing at /v1/%(rest)s.") % {"rest": rest[:80]}, code="unknown_url")


async def _frames(call: Call, first: Piece, pieces: AsyncGenerator[Piece]) -> AsyncIterator[bytes]:
    chunks = Chunks(call.run.pk, call.request, _created(call))
    try:
        yield sse.data_frame(chunks.role()) + _frame(chunks, first)
        async for piece in pieces:
            yield _frame(chunks, piece)
    except CauserieError as error:
        yield sse.data_frame(answers.openai_body(error))
    finally:
        await pieces.aclose()


def _frame(chunks: Chunks, piece: Piece) -> bytes:
    if isinstance(piece, Waiting):
        return sse.HEARTBEAT
    if isinstance(piece, End):
        return b"".join([*map(sse.data_frame, chunks.ending(piece)), sse.data_frame("[DONE]")])
    return sse.data_frame(chunks.text(piece))


def _add_headers(response: HttpResponseBase, allowance: Allowance | None) -> HttpResponseBase:
    for name, value in (allowance.headers() if allowance else {}).items():
        response[name] = value
    return response


def _authorization(request: HttpRequest) -> str:
    return request.headers.get("Authorization", "")


def _created(call: Call) -> int:
    return int(call.run.created_at.timestamp())


def _catalogue_time() -> int:
    """When the catalogue that states the models was written."""
    return int(Path(settings.CATALOGUE_PATH).stat().st_mtime)
