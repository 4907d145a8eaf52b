"""Where allauth asks us: the language of a new person, the code in their mail, and how mail is sent."""

from typing import Any, ClassVar, cast

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context as of_allauth
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language, gettext_lazy, ngettext, override

from apps.accounts import codes, devices, guests, letters, places, sessions, throttles
from apps.accounts.models import User
from apps.core import clock, guards

DEVICE_COOKIE = "device"
CLOSED_ACCOUNT = "closed_account"
TOO_MANY = "too_many_login_attempts"
SITE = {"site_name": settings.SITE_NAME, "site_url": settings.SITE_URL}


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    """Allauth's behaviour, with our words and our promises."""

    error_messages: ClassVar[dict[str, Any]] = {
        **DefaultAccountAdapter.error_messages,
        TOO_MANY: gettext_lazy("Too many tries. Please wait a few minutes."),
    }

    def validation_error(self, code: str, *args: object) -> ValidationError:
        """Say until when, where somebody tried too often."""
        if code != TOO_MANY:
            return cast(ValidationError, super().validation_error(code, *args))
        minutes = -(-throttles.wait_s(self.request, now_s=clock.now().timestamp()) // 60)
        sentence = ngettext(
            "Too many tries. Please try again in a minute.",
            "Too many tries. Please try again in %(minutes)d minutes.",
            minutes,
        )
        return ValidationError(sentence % {"minutes": minutes}, code=code)

    def new_user(self, request: HttpRequest) -> User:
        """A new person reads, and gets mail, in the language of the page they joined on; a guest keeps their row."""
        guest = getattr(request, "guest", None)
        return guests.become_member(guest, now=clock.now()) if guest else User(language=get_language() or "")

    def generate_email_verification_code(self) -> str:
        """Six letters without vowels or look-alikes; three wrong ones end the attempt."""
        return codes.make()

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Write it in the reader's language and let a worker send it: a mail server that is slow keeps nobody waiting.

        Whether or not an address has an account, the same work is done here.
        """
        guards.outside_transaction()  # so that nobody is told of what did not happen
        reader = User.objects.filter(email=email.lower()).first()
        language = (reader.language if reader else "") or get_language() or settings.LANGUAGE_CODE
        words = {"request": of_allauth.request, "email": email, **context, **SITE}
        with override(language):
            made = self.render_mail(template_prefix, email, words)
        with transaction.atomic(durable=True):
            kind = template_prefix.rpartition("/")[2]
            letters.want(kind, email, made.subject, f"{made.body}\n", language=language, now=clock.now())

    def respond_user_inactive(self, request: HttpRequest, user: User) -> HttpResponse:
        """Remember who just proved to be the owner of a closed account: one that is leaving can still be kept."""
        remember_closed(request, user)
        return cast(HttpResponse, super().respond_user_inactive(request, user))

    def post_login(self, request: HttpRequest, user: User, **facts: Any) -> HttpResponse:  # noqa: ANN401  # allauth's own
        """Show the pages in the person's language on this device too."""
        response = super().post_login(request, user, **facts)
        self._recognise_device(request, response, user)
        return remember_language(response, user)

    def _recognise_device(self, request: HttpRequest, response: HttpResponse, user: User) -> None:
        known = devices.recognise(user, request.COOKIES.get(DEVICE_COOKIE), now=clock.now())
        if known.is_news:
            facts = {"user": user, "country": places.country_of(self.get_client_ip(request))}
            facts["device"] = sessions.device_of(self.get_http_user_agent(request))
            self.send_notification_mail("accounts/mail/new_device", user, facts, email=user.email)
        response.set_cookie(
            DEVICE_COOKIE,
            known.key,
            max_age=devices.FORGOTTEN_AFTER,
            samesite="Lax",
            httponly=True,
            secure=settings.SESSION_COOKIE_SECURE,
        )


def remember_closed(request: HttpRequest, user: User) -> None:
    """Let whoever just proved to be the owner of a closed account decide about it in this browser."""
    request.session[CLOSED_ACCOUNT] = {"user": str(user.pk), "at": clock.now().timestamp()}


def remember_language(response: HttpResponse, user: User) -> HttpResponse:
    """Let this browser follow the person's language; without one, the browser's own."""
    if user.language:
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            user.language,
            max_age=365 * 24 * 3600,
            samesite="Lax",
            httponly=True,
            secure=settings.SESSION_COOKIE_SECURE,
        )
    else:
        response.delete_cookie(settings.LANGUAGE_COOKIE_NAME, samesite="Lax")
    return response
