"""Signing in with an account elsewhere: where allauth asks us about it, and which address of it is believed."""

from typing import Any, cast

from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp, SocialLogin
from django.conf import settings
from django.http import Http404, HttpRequest
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User


class SocialAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    """A way that has no keys is not there; those that are come from the settings alone."""

    error_messages = {  # as allauth has it
        **DefaultSocialAccountAdapter.error_messages,
        "no_password": _("This is your only way in. Set a password first."),
        "disconnect_last": _("This is your only way in. Set a password first."),
    }

    def list_apps(
        self, request: HttpRequest, provider: str | None = None, client_id: str | None = None
    ) -> list[SocialApp]:
        """Apps of the settings: no query, and none that somebody put into the database."""
        apps = [
            SocialApp(provider=kind, **{"provider_id": "", "name": "", "key": "", "settings": {}, **told})
            for kind, ways in settings.SOCIALACCOUNT_PROVIDERS.items()
            for told in ways["APPS"]
        ]
        mine = [app for app in apps if provider in (None, app.provider, app.provider_id or None)]
        return [app for app in mine if client_id in (None, app.client_id)]

    def get_app(self, request: HttpRequest, provider: str, client_id: str | None = None) -> SocialApp:
        """The app of a way in.

        Raises  Http404: it has no keys here, or nobody knows it.
        """
        try:
            return cast(SocialApp, super().get_app(request, provider, client_id=client_id))
        except SocialApp.DoesNotExist:
            raise Http404 from None

    def new_user(self, request: HttpRequest, sociallogin: SocialLogin) -> User:
        """Who somebody seems to be, until they accept the terms; a guest stays one until then."""
        return User(language=get_language() or "")

    def populate_user(self, request: HttpRequest, sociallogin: SocialLogin, data: dict[str, Any]) -> User:
        """Take over how the person is called; everything else they say themselves."""
        user = cast(User, super().populate_user(request, sociallogin, data))
        told = data.get("name") or f"{data.get('first_name') or ''} {data.get('last_name') or ''}"
        user.name = " ".join(str(told).split())[:120]
        return user


def vouched_address(login: SocialLogin) -> str:
    """The address that the provider vouches for; empty: none, and what the person types is confirmed by a code."""
    told = [address.email.lower() for address in login.email_addresses if address.verified]
    first = (login.user.email or "").lower()
    return first if first in told else next(iter(told), "")


def join_as(login: SocialLogin, member: User) -> None:
    """Let an account be made of a row that is there, a guest's, instead of a new one."""
    member.name, member.language = login.user.name, login.user.language or member.language
    login.user = member


def keep_one_address(login: SocialLogin, email: str) -> None:
    """A person has one address: what else the provider told is dropped, so that it opens nothing later."""
    login.user.email = email
    login.email_addresses = [address for address in login.email_addresses if address.email.lower() == email]
