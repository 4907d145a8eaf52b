from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import cast
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET, require_safe

from apps.accounts.models import User
from apps.billing import entitlements, plans
from apps.chat import conversations
from apps.core import clock, sse
from apps.core.errors import Unauthenticated
from apps.inference import following, relay, steps
from apps.inference.models import Run


@never_cache
@ensure_csrf_cookie
@login_required
@require_safe
def room(request: HttpRequest, conversation_id: UUID | None = None) -> HttpResponse:
    user = cast(User, request.user)
    if conversation_id is not None:
        conversations.get_conversation(user, conversation_id)
    now = clock.now()
    plan = entitlements.plan_for(entitlements.account_for(user, now=now), now=now)
    boot = {
        "conversation_id": conversation_id and str(conversation_id),
        "user": {"name": user.name, "email": user.email},
        "plan": {"key": plan.key, "name": plan.name},
        "plans": {key: terms.name for key, terms in plans.catalogue().plans.items()},
        "models": {key: raw["name"] for key, raw in plans.catalogue().models.items()},
        "urls": {
            "pricing": reverse("billing:pricing"),
            "settings": reverse("billing:plan"),
            "usage": reverse("usage:usage"),
            "logout": reverse("account_logout"),
        },
        "language": get_language(),
    }
    return render(request, "chat/room.html", {"boot": boot})


@require_GET
async def follow_run(request: HttpRequest, run_id: UUID) -> StreamingHttpResponse:
    after = request.headers.get("Last-Event-ID")
    relay.read_position(after)
    run = await steps.call(_find_own_run, request, run_id)
    return StreamingHttpResponse(_frames(run, after), content_type="text/event-stream", headers=sse.HEADERS)


def _find_own_run(request: HttpRequest, run_id: UUID) -> Run:
    if not request.user.is_authenticated:
        raise Unauthenticated(_("Please sign in first."))
    return conversations.get_run(request.user, run_id)


async def _frames(run: Run, after: str | None) -> AsyncIterator[bytes]:
    async with aclosing(following.follow(run, after=after)) as entries:
        async for entry in entries:
            yield sse.HEARTBEAT if entry is None else sse.frame(entry.kind, entry.body, event_id=entry.id)
