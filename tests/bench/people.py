"""Makes people who are signed in, for the load: `python -m tests.bench.people 200` prints one session key a line."""

import sys
from importlib import import_module

import django
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

django.setup()
from apps.accounts.models import User  # noqa: E402 models need the line above

PASSWORD = "not used to sign in"


def main(count: int) -> None:
    store = import_module(settings.SESSION_ENGINE).SessionStore
    for number in range(count):
        user, _is_new = User.objects.get_or_create(email=f"bench{number}@example.com", defaults={"password": PASSWORD})
        session = store()
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session.create()
        print(session.session_key)  # noqa: T201 its only output


if __name__ == "__main__":
    main(int(sys.argv[1]))
