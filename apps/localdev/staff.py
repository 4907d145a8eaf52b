"""The local account that may see the admin pages and the report. Its password never leaves the machine."""

import secrets
from pathlib import Path

from allauth.account.models import EmailAddress
from django.db import transaction

from apps.accounts.models import User
from apps.localdev import addresses

EMAIL = "staff@causerie.local"
FILE = "staff.json"


def ensure(folder: Path) -> dict[str, str]:
    """Make the account at the first start, or give it back the password that `staff.json` remembers."""
    kept = addresses.read(folder / FILE)
    account = {"email": EMAIL, "password": str(kept.get("password") or secrets.token_urlsafe(12))}
    with transaction.atomic(durable=True):
        user = User.objects.filter(email=EMAIL).first()
        if user is None:
            user = User.objects.create_superuser(EMAIL, account["password"], name="Local staff", is_internal=True)
            EmailAddress.objects.create(user=user, email=EMAIL, verified=True, primary=True)
        elif not user.check_password(account["password"]):
            user.set_password(account["password"])
            user.save(update_fields=["password"])
    addresses.write(folder / FILE, account)
    return account


def remembered(folder: Path) -> dict[str, str]:
    """E-mail and password, or nothing before the first start."""
    return addresses.read(folder / FILE)
