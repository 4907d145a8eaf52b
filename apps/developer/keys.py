"""Keys of the API: made, shown once, found again by their SHA-256, revoked."""

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.billing.models import BillingAccount
from apps.core.errors import Conflict, Invalid, Missing
from apps.developer.models import ApiKey
from apps.usage import caps, credits

PREFIX = "ck-"
SECRET_BYTES = 32  # 43 characters of base64
NAME_LENGTH = 80
MOST_LIVE_KEYS = 50
USE_NOTED_EVERY = timedelta(minutes=1)


def make_key(account: BillingAccount, name: str, *, now: datetime) -> tuple[ApiKey, str]:
    """Make a key and give it with its secret, which is kept nowhere and cannot be shown again.

    Effect  an act; the account's first key also brings the starter credit, once.
    Raises  Invalid `name`: empty or too long;  Conflict: the account has as many live keys as it may.
    """
    name = name.strip()
    if not name or len(name) > NAME_LENGTH or "\x00" in name:  # no database column takes NUL
        raise Invalid(_("Give the key a name of at most 80 characters, so that you know it again."), field="name")
    secret = PREFIX + secrets.token_urlsafe(SECRET_BYTES)
    with transaction.atomic(durable=True):
        BillingAccount.objects.select_for_update(no_key=True).get(pk=account.pk)  # two tabs cannot both be the last
        if ApiKey.objects.filter(account=account).live(at=now).count() >= MOST_LIVE_KEYS:
            raise Conflict(_("You have 50 keys already. Revoke one you no longer use, then make a new one."))
        key = ApiKey.objects.create(
            account=account,
            name=name,
            hint=f"{secret[:7]}…{secret[-4:]}",
            secret_hash=digest_of(secret),
            created_at=now,
        )
        credits.grant_starter_credit(account, now=now)
    return key, secret


def find_key(secret: str, *, now: datetime) -> ApiKey | None:
    """Give the live key of somebody who may still sign in, with its account; None for anything else."""
    digest = digest_of(secret)
    key = ApiKey.objects.live(at=now).select_related("account__owner").filter(secret_hash=digest).first()
    if key is None or not hmac.compare_digest(key.secret_hash, digest):
        return None
    return key if key.account.owner.is_active and key.account.erased_at is None else None


def note_use(key: ApiKey, *, now: datetime) -> None:
    """Remember when a key was last used, at most once a minute: one UPDATE that holds the condition."""
    is_due = Q(last_used_at=None) | Q(last_used_at__lt=now - USE_NOTED_EVERY)
    ApiKey.objects.filter(is_due, pk=key.pk).update(last_used_at=now)


def cap_key(account: BillingAccount, key_id: UUID, amount_micro: int | None, *, now: datetime) -> None:
    """Let a key spend so much in a calendar month; None lets it spend what the account may. An act.

    Raises  Missing: no such key, or another account's;  Invalid `cap`: an amount that makes no sense.
    """
    if not ApiKey.objects.filter(account=account, pk=key_id, revoked_at=None).exists():
        raise Missing(_("There is no such key."))
    caps.set_cap(account, amount_micro, key_id=key_id, now=now)


def revoke_key(account: BillingAccount, key_id: UUID, *, now: datetime) -> None:
    """End a key at once; ending it again changes nothing.

    Raises  Missing: no such key, or another account's.
    """
    with transaction.atomic(durable=True):
        mine = ApiKey.objects.filter(account=account, pk=key_id)
        if not mine.filter(revoked_at=None).update(revoked_at=now) and not mine.exists():
            raise Missing(_("There is no such key."))


def digest_of(secret: str) -> str:
    """What is kept of a secret. It is random and long, so a fast hash is enough."""
    return hashlib.sha256(secret.encode()).hexdigest()
