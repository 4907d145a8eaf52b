"""A code by mail as proof, for people who have neither password nor passkey: allauth knows no other way to ask them."""

from datetime import datetime, timedelta

from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from allauth.account.internal.flows.reauthentication import get_reauthentication_flows
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _

from apps.accounts import codes, letters
from apps.accounts.models import User
from apps.core.errors import Conflict, Invalid

GOOD_FOR = timedelta(minutes=15)
PURPOSE = "proof of a person"
SESSION_KEY = "proof"


def is_needed(request: HttpRequest, user: User, *, now: datetime) -> bool:
    """Whether this person proves who they are by a code, and did neither that nor sign in a moment ago."""
    if get_reauthentication_flows(user):
        return False  # allauth asks them itself
    records = get_authentication_records(request, user)
    latest = max((record["at"] for record in records), default=0.0)
    return now.timestamp() - latest >= settings.ACCOUNT_REAUTHENTICATION_TIMEOUT


def send(request: HttpRequest, user: User, *, now: datetime) -> None:
    """Mail a code to the person; an earlier one is good for nothing. An act."""
    code = codes.make()
    request.session[SESSION_KEY] = {
        "hash": codes.digest(user, code, purpose=PURPOSE),
        "until": (now + GOOD_FOR).timestamp(),
    }
    with transaction.atomic(durable=True):
        letters.write("accounts/mail/proof", user.email, {"code": code}, language=user.language, now=now)


def is_sent(request: HttpRequest, *, now: datetime) -> bool:
    """Whether a code waits to be typed in this session."""
    told = request.session.get(SESSION_KEY)
    return told is not None and told["until"] > now.timestamp()


def check(request: HttpRequest, user: User, code: str, *, now: datetime) -> None:
    """Take the code as proof, for the next ten minutes.

    Raises  Conflict: none was sent, or it is too old;  Invalid: another one was typed.
    """
    if not is_sent(request, now=now):
        raise Conflict(_("This code is no longer good. Send a new one."), code="expired")
    if not codes.is_right(user, code, request.session[SESSION_KEY]["hash"], purpose=PURPOSE):
        raise Invalid(_("This code is not right. Look into the mail that came last."), field="code")
    del request.session[SESSION_KEY]
    record_authentication(request, user, method="code", reauthenticated=True)
