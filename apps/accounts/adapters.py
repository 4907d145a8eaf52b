"""Where allauth asks us: the language of a new person, the code in their mail, and how mail is sent."""

from smtplib import SMTPException
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.internal.cryptokit import generate_user_code
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.core import guards
from apps.core.errors import Unavailable

CODE_LENGTH = 6


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    """Allauth's behaviour, with our words and our promises."""

    def new_user(self, request: HttpRequest) -> User:
        """A new person reads, and gets mail, in the language of the page they joined on."""
        return User(language=get_language() or "")

    def generate_email_verification_code(self) -> str:
        """Six letters without vowels or look-alikes; three wrong ones end the attempt."""
        return str(generate_user_code(length=CODE_LENGTH, dashed=False))

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send after the commit, so that nobody is told of what did not happen.

        Raises  Unavailable: the mail server does not answer. Signing in later sends a new code.
        """
        guards.outside_transaction()
        try:
            super().send_mail(template_prefix, email, context)
        except (OSError, SMTPException) as error:
            sentence = _("We could not send you an e-mail just now. Please sign in again in a minute to get a new one.")
            raise Unavailable(sentence, code="mail_unavailable", wait_s=60) from error

    def post_login(self, request: HttpRequest, user: User, **facts: Any) -> HttpResponse:  # noqa: ANN401  # allauth's own
        """Show the pages in the person's language on this device too."""
        response = super().post_login(request, user, **facts)
        return remember_language(response, user)


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
