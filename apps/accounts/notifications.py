"""Mails that a person may do without, and the link in each of them that ends it without signing in."""

from collections.abc import Mapping
from types import MappingProxyType

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.core.errors import Missing

SALT = "mails to do without"
LIMITS, SPENDING = "limits", "spending"
COLUMNS: Mapping[str, str] = MappingProxyType({LIMITS: "wants_limit_mail", SPENDING: "wants_spending_mail"})


def change(user: User, wanted: Mapping[str, bool]) -> None:
    """Keep what a person wants to be told by mail. An act: one UPDATE."""
    values = {column: wanted[column] for column in COLUMNS.values()}
    with transaction.atomic(durable=True):
        User.objects.filter(pk=user.pk).update(**values)


def stop_url(user: User, kind: str) -> str:
    """The address that ends one kind of mail, for the mail itself; it holds as long as the account."""
    return settings.SITE_URL + reverse("accounts:stop-mail", args=[signing.dumps([str(user.pk), kind], salt=SALT)])


def stop(token: str) -> str:
    """End the kind of mail that a link is about, and name it. An act; again changes nothing.

    Raises  Missing: no link of ours.
    """
    user_id, kind = _read(token)
    with transaction.atomic(durable=True):
        User.objects.filter(pk=user_id).update(**{COLUMNS[kind]: False})
    return kind


def require_link(token: str) -> None:
    """Refuse what is no link of ours.

    Raises  Missing.
    """
    _read(token)


def _read(token: str) -> tuple[str, str]:
    try:
        user_id, kind = signing.loads(token, salt=SALT)
    except (signing.BadSignature, ValueError):
        raise Missing(_("There is nothing at this address.")) from None
    if kind not in COLUMNS:
        raise Missing(_("There is nothing at this address."))
    return user_id, kind
