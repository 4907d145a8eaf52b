"""Makes people who are signed in, in a running product: `python -m tests.support.newcomers 100`. Prints session keys.

--plan premium     what they have
--questions 1000   so many questions of each that wait in line, as if they had asked them
"""

import argparse
from importlib import import_module

import django
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.db import transaction

django.setup()
from apps.accounts.models import User  # noqa: E402 models need the line above
from apps.billing import entitlements  # noqa: E402
from apps.billing.models import BillingAccount  # noqa: E402
from apps.core import clock, ids  # noqa: E402
from apps.inference.models import Run  # noqa: E402


def sign_in(user):
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return session.session_key


def ask_much(account, many, now):
    Run.objects.bulk_create(
        Run(
            account=account, channel="chat", job="chat.answer_message", queue="runs.free", model="chat-small",
            created_at=now, nudged_at=now, in_line_since=None,
        )
        for _ in range(many)
    )  # fmt: skip


def main():
    options = argparse.ArgumentParser()
    options.add_argument("people", type=int)
    options.add_argument("--plan", default="")
    options.add_argument("--questions", type=int, default=0)
    chosen, now = options.parse_args(), clock.now()
    for _ in range(chosen.people):
        user = User.objects.create(email=f"{ids.uuid7().hex}@example.com", password="!")
        account = BillingAccount.objects.create(owner=user, created_at=now)
        if chosen.plan:
            with transaction.atomic():
                entitlements.record(account, entitlements.Decision(chosen.plan, "grant", "active"), now=now)
        ask_much(account, chosen.questions, now)
        print(sign_in(user))  # noqa: T201 its only output


if __name__ == "__main__":
    main()
