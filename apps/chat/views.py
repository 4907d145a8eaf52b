from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import cast
from uuid import UUID

from allauth.account.adapter import get_adapter
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET, require_http_methods, require_POST, require_safe

from apps.accounts import consent, guests, sessions
from apps.accounts.models import User
from apps.billing import entitlements, plans
from apps.chat import choices, conversations, personalization, replies, trying
from apps.chat.forms import PersonalizationForm
from apps.chat.personalities import PERSONALITIES
from apps.core import clock, sse
from apps.core.errors import Missing, Unauthenticated
from apps.inference import following, relay
from apps.inference.models import Run


@never_cache
@ensure_csrf_cookie
@login_required
@require_safe
def room(request: HttpRequest, conversation_id: UUID | None = None) -> HttpResponse:
    user = cast(User, request.user)
    if consent.outdated(user):
        return redirect("accounts:accept-terms")
    if conversation_id is not None:
        conversations.get_conversation(user, conversation_id)
    sessions.note_seen(request.session.session_key, now=clock.now())
    return render(request, "chat/room.html", {"boot": _boot(user, conversation_id)})


def _boot(user: User, conversation_id: UUID | None) -> dict[str, object]:
    """What the island is told before it asks for anything."""
    now = clock.now()
    plan = entitlements.plan_for(entitlements.account_for(user, now=now), now=now)
    return {
        "conversation_id": conversation_id and str(conversation_id),
        "user": {"name": user.name, "email": "" if user.is_guest else user.email, "is_guest": user.is_guest},
        "plan": {"key": plan.key, "name": plan.name},
        "plans": {key: terms.name for key, terms in plans.catalogue().plans.items()},
        "models": {key: raw["name"] for key, raw in plans.catalogue().models.items()},
        "urls": {
            "pricing": reverse("billing:pricing"),
            "settings": reverse("billing:plan"),
            "usage": reverse("usage:usage"),
            "personalization": reverse("chat:personalization"),
            "logout": reverse("account_logout"),
            "signup": reverse("account_signup"),
            "login": reverse("account_login"),
        },
        "personality": str(personalization.personality_of(user).name),
        "language": get_language(),
    }


@require_POST
def try_it(request: HttpRequest) -> HttpResponse:
    """Take the question of the landing page: a guest is made for who has no account, and its answer begins."""
    if not trying.is_possible():
        raise Missing(_("There is nothing at this address."))
    now, address, text = clock.now(), get_adapter().get_client_ip(request), request.POST.get("text", "")
    replies.refuse_unfit(text)
    owner = _owner_of(request, address)
    trying.count(owner, address, None, now=now)
    sent = replies.send(owner, replies.Draft(text), now=now)
    return redirect("chat:conversation", sent.conversation.pk)


def _owner_of(request: HttpRequest, address: str) -> User:
    if request.user.is_authenticated:
        return request.user
    guest = guests.make(address, get_language() or "", now=clock.now())
    login(request, guest, backend="apps.accounts.roles.RoleBackend")
    return guest


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit_personalization(request: HttpRequest) -> HttpResponse:
    """How a person wants to be answered."""
    user, now = cast(User, request.user), clock.now()
    offered = choices.list_choices(user, now=now)
    mine = personalization.find(user, now=now)
    models = [(one.key, one.name) for one in offered if one.is_included or one.key == mine.model]
    form = PersonalizationForm(request.POST or None, instance=mine, models=models)
    if request.method == "POST" and form.is_valid():
        personalization.change(user, form.cleaned_data, now=now)
        messages.success(request, _("Saved. New answers follow it."))
        return redirect("chat:personalization")
    descriptions = [(one.name, one.description) for one in PERSONALITIES.values()]
    is_lost = any(one.key == mine.model and not one.is_included for one in offered)
    context = {"section": "personalization", "form": form, "descriptions": descriptions, "is_lost": is_lost}
    return render(request, "chat/personalization.html", context, status=400 if form.errors else 200)


@require_GET
def follow_run(request: HttpRequest, run_id: UUID) -> StreamingHttpResponse:
    after = request.headers.get("Last-Event-ID")
    relay.read_position(after)
    if not request.user.is_authenticated:
        raise Unauthenticated(_("Please sign in first."))
    run = conversations.get_run(request.user, run_id)
    return StreamingHttpResponse(_frames(run, after), content_type="text/event-stream", headers=sse.HEADERS)


async def _frames(run: Run, after: str | None) -> AsyncIterator[bytes]:
    async with aclosing(following.follow(run, after=after)) as entries:
        async for entry in entries:
            yield sse.HEARTBEAT if entry is None else sse.frame(entry.kind, entry.body, event_id=entry.id)
