"""Every address is listed as public here, or is closed to people who are not signed in."""

import re
from uuid import UUID

import pytest
from django.test import Client
from django.urls import URLPattern, get_resolver

SAMPLES = {
    "UUIDConverter": str(UUID(int=7)),
    "IntConverter": "7",
    "SlugConverter": "mrr",
    "StringConverter": "word",
    "PathConverter": "some/thing",
}
# Open to everyone, and why.
PUBLIC = {
    "": "landing page",
    "robots.txt": "for robots",
    "healthz": "the process answers",
    "readyz": "the process can serve",
    "pricing/": "what is on offer",
    "terms/": "read before signing up",
    "privacy/": "read before signing up",
    "i18n/setlang/": "language of the pages",
    "billing/webhook": "Stripe, known by its signature",
    "try/": "a question on the landing page, of whom has no account",
    "accounts/login/": "signing in",
    "accounts/signup/": "signing up",
    "accounts/signup/passkey/": "signing up",
    "accounts/login/code/": "signing in by a code",
    "accounts/2fa/webauthn/login/": "signing in by a passkey",
    "password-strength/": "judges a password that is being typed, before there is an account",
    "accounts/logout/": "for those who are signed out, it leads home",
    "api/schema/": "describes the addresses, not what is behind them",
    "accounts/inactive/": "says that an account is closed",
    "accounts/3rdparty/login/cancelled/": "says that nothing happened",
    "accounts/apple/login/callback/": "Apple posts its answer here; where that leads is not there without keys",
    "accounts/3rdparty/signup/": "signing up, for whom the provider let through; others are led to the door",
    "accounts/social/login/cancelled/": "leads to the address that took its place",
    "accounts/social/login/error/": "leads to the address that took its place",
    "accounts/social/signup/": "leads to the address that took its place",
    "accounts/social/connections/": "leads to the address that took its place",
    "accounts/oidc/(?P<provider_id>[/]+)/login/": "signing in with an account elsewhere; 404 without keys",
    "accounts/oidc/(?P<provider_id>[/]+)/login/callback/": "signing in with an account elsewhere; 404 without keys",
    "accounts/password/reset/": "forgotten password",
    "accounts/password/reset/done/": "forgotten password",
    "accounts/password/reset/key/done/": "forgotten password",
    "accounts/password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/": "forgotten password; the key is the secret",
    "admin/login/": "staff's own door",
    "admin/logout/": "leads to the door",
}
LOCAL = ("_mail/",)  # the mailbox of one machine: mounted with LOCAL_TOOLS only, which production refuses
# 404 to strangers: who asks for it, or that it exists, is told to nobody. Elsewhere a 404 may only mean a wrong sample.
# A receipt is for whoever has its address, since who has left cannot sign in any more; it names nobody.
HIDDEN = {
    "metrics",
    "v1/<path:rest>",
    "settings/data/receipt/<uuid:request_id>/",
    "settings/data/keep/<str:token>/",
    "mails/stop/<str:token>/",
    # Ways in that have no keys, as here.
    *(f"accounts/{name}/login/" for name in ("google", "apple", "twitter_oauth2", "github")),
    *(f"accounts/{name}/login/callback/" for name in ("google", "twitter_oauth2", "github")),
    "accounts/google/login/token/",
    "accounts/apple/login/callback/finish/",
}
CLOSED = (401, 403)
DOORS = ("/accounts/login/", "/admin/login/", "/accounts/signup/")


def addresses(resolver=None, before=()):
    """Every route with an address that fits it."""
    for entry in (resolver or get_resolver()).url_patterns:
        route = (*before, entry.pattern)
        if isinstance(entry, URLPattern):
            yield "".join(str(part) for part in route).replace("^", "").replace("$", ""), filled(route)
        else:
            yield from addresses(entry, route)


def filled(route):
    text = ""
    for part in route:
        piece = str(part).replace("^", "").replace("$", "").replace("\\Z", "")
        for name, converter in part.converters.items():
            piece = re.sub(rf"<(\w+:)?{name}>", SAMPLES[type(converter).__name__], piece)
        text += piece
    return f"/{text}"


ALL = {route: address for route, address in addresses() if not route.startswith(LOCAL)}
GUARDED = {route: address for route, address in ALL.items() if route not in PUBLIC and "(?P<" not in route}


def is_closed(route, answer):
    if answer.status_code == 302:
        return answer.url.startswith(DOORS)
    return answer.status_code in CLOSED or (route in HIDDEN and answer.status_code == 404)


@pytest.mark.django_db
@pytest.mark.parametrize("room", sorted({route.split("/")[0] for route in GUARDED}))
def test_a_stranger_gets_nothing(room):
    client, open_to_all = Client(), []
    for route, address in GUARDED.items():
        if route.split("/")[0] == room:
            answers = [getattr(client, method)(address) for method in ("get", "post", "patch", "delete")]
            told = [is_closed(route, answer) for answer in answers if answer.status_code != 405]
            if not told or not all(told):
                open_to_all.append((route, [answer.status_code for answer in answers]))
    assert open_to_all == []


@pytest.mark.django_db
def test_a_public_address_opens():
    routes = [route for route in PUBLIC if route in ALL and "(?P<" not in route]
    refused = {route: Client().get(ALL[route]).status_code for route in routes}
    assert {route: status for route, status in refused.items() if status in (*CLOSED, 404, 500)} == {}


def test_the_list_names_only_what_is_there():
    assert set(PUBLIC) - set(ALL) == set()
    # Routes written as regular expressions cannot be filled; the admin's two lead to its door.
    assert {route for route in ALL if "(?P<" in route and not route.startswith("admin/(?P<")} - set(PUBLIC) == set()
