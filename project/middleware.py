"""What every request passes: an id for its log lines, a count, and what a browser may load for the page."""

import re
import time
from collections.abc import Awaitable, Callable
from typing import cast

import structlog
from asgiref.sync import async_to_sync, sync_to_async
from django.conf import settings
from django.contrib.auth import SESSION_KEY as SIGNED_IN
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.deprecation import MiddlewareMixin
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from servestatic.middleware import ServeStaticMiddleware

from apps.accounts import proofs
from apps.accounts.models import User
from apps.core import answers, clock, ids
from apps.core.errors import Invalid, NotAllowed
from apps.staff import impersonation
from apps.staff.views import SESSION_KEY
from project import metrics

OPEN_TO_GUESTS = frozenset(
    {
        "chat:room",
        "chat:conversation",
        "chat:try",
        *(
            f"chat-api:{name}"
            for name in ("conversations", "conversation", "messages", "models", "retry", "report", "stop")
        ),
        "usage-api:balances",
    }
)
# Here nobody looks at who asks before the view does. A password is judged while it is typed: such a request may
# overtake the sign-up, and would end the session that it goes on in, since the guest it began with is no more.
UNASKED = frozenset({"chat-api:events", "accounts:judge-password", "alive", "ready"})
IMPORTANT = frozenset(
    {
        *("account_set_password", "account_change_password", "socialaccount_connections"),
        *("mfa_activate_totp", "mfa_deactivate_totp", "mfa_add_webauthn", "mfa_remove_webauthn", "mfa_edit_webauthn"),
        *("mfa_generate_recovery_codes", "mfa_view_recovery_codes", "mfa_download_recovery_codes"),
        *("accounts:email", "accounts:confirm-email", "privacy:delete", "staff:look", "staff:role"),
    }
)
STILL_OPEN = frozenset({"account_logout", "set_language"})
GIVEN = re.compile(r"[A-Za-z0-9-]{8,64}")


class StaticFilesMiddleware:
    """Servestatic's own, which knows only the event loop, asked where files lie; all else stays on its thread."""

    sync_capable, async_capable = True, False

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        files = ServeStaticMiddleware(sync_to_async(get_response))
        self._prefix, self._serve = files.static_prefix, async_to_sync(files)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Called by Django for each request."""
        is_file = request.path_info.startswith(self._prefix)
        return self._serve(request) if is_file else self.get_response(request)


class RequestMiddleware(MiddlewareMixin):
    """Keeps the caller's X-Request-ID when it looks like one, else makes one; counts the answer; sets its policy."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self.async_mode:
            return self.__acall__(request)
        request_id, begun = _begin(request), time.monotonic()
        response = _refuse(request) or cast(HttpResponseBase, self.get_response(request))
        return _finish(request, response, request_id, begun)

    async def __acall__(self, request: HttpRequest) -> HttpResponseBase:
        request_id, begun = _begin(request), time.monotonic()
        response = _refuse(request) or await cast(Awaitable[HttpResponseBase], self.get_response(request))
        return _finish(request, response, request_id, begun)


class GuestMiddleware(MiddlewareMixin):
    """Guests are strangers everywhere but in the chat: a new page is closed to them until it is named here."""

    def process_view(self, request: HttpRequest, *_view: object) -> None:
        """Called by Django when it knows which page is asked for."""
        match = request.resolver_match
        if match is None or _is_unasked(request) or SIGNED_IN not in request.session:
            return
        if isinstance(request.user, User) and request.user.is_guest and match.view_name not in OPEN_TO_GUESTS:
            request.guest = request.user  # type: ignore[attr-defined]  # whom signing up turns into a member
            _show_to(request, AnonymousUser())


class ProofMiddleware(MiddlewareMixin):
    """Asks people without password and passkey for a code by mail, where allauth would let them pass unasked."""

    def process_view(self, request: HttpRequest, *_view: object) -> HttpResponseBase | None:
        """Called by Django when it knows which page is asked for."""
        match = request.resolver_match
        if match is None or match.view_name not in IMPORTANT or not isinstance(request.user, User):
            return None
        if not proofs.is_needed(request, request.user, now=clock.now()):
            return None
        return redirect(f"{reverse('accounts:prove')}?{urlencode({'next': request.path})}")


class LookMiddleware(MiddlewareMixin):
    """While staff look at a person's pages, these show what the person sees; every other page of the site is closed."""

    def process_view(self, request: HttpRequest, *_view: object) -> HttpResponseBase | None:
        """Called by Django when it knows which page is asked for."""
        match = request.resolver_match
        if match is None or _is_unasked(request):
            return None
        told = request.session.get(SESSION_KEY)
        if told is None or not isinstance(request.user, User):
            return None
        if request.path.startswith("/admin/") or match.view_name in STILL_OPEN:
            return None
        now = clock.now()
        look = impersonation.find(told, request.user, now=now)
        if look is None:
            del request.session[SESSION_KEY]
            return None
        if match.view_name not in impersonation.PAGES or request.method not in ("GET", "HEAD"):
            sentence = _("You are looking at somebody’s pages: this is closed, and nothing can be changed. Stop first.")
            return answers.answer_error(request, NotAllowed(sentence))
        impersonation.note_page(look, request.path, now=now)
        _show_to(request, look.person)
        request.look = look  # type: ignore[attr-defined]  # the banner reads it
        return None


def _is_unasked(request: HttpRequest) -> bool:
    match = request.resolver_match
    return request.path.startswith("/v1/") or (match is not None and match.view_name in UNASKED)


def _show_to(request: HttpRequest, reader: User | AnonymousUser) -> None:
    """Let everything behind take the request for one of this person, views of both kinds."""

    async def ask(_request: HttpRequest | None = None) -> User | AnonymousUser:
        return reader

    request.user = reader
    request.auser = ask


def _begin(request: HttpRequest) -> str:
    given = request.headers.get("X-Request-ID", "")
    request_id = given if GIVEN.fullmatch(given) else str(ids.uuid7())
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=request_id)
    return request_id


def _refuse(request: HttpRequest) -> HttpResponseBase | None:
    """An address with NUL in it asks for nothing that could be there: no database column takes that character."""
    if "\x00" in request.path or "%00" in request.META.get("QUERY_STRING", ""):
        return answers.answer_error(request, Invalid(_("This request makes no sense to us.")))
    return None


def _finish(request: HttpRequest, response: HttpResponseBase, request_id: str, begun: float) -> HttpResponseBase:
    metrics.count_request(request, response, time.monotonic() - begun)
    response["X-Request-ID"] = request_id
    response["Permissions-Policy"] = "camera=(), geolocation=(), payment=(), usb=()"
    if response.get("Content-Type", "").startswith("text/html"):
        is_admin = request.path.startswith("/admin/")
        policy = settings.ADMIN_CONTENT_SECURITY_POLICY if is_admin else settings.CONTENT_SECURITY_POLICY
        response.setdefault("Content-Security-Policy", policy)  # a page may ask for a stricter one
    return response
