"""Signing in with an account elsewhere: each way is offered when its keys are set, and is not there otherwise."""

from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from project import env


def whole(prefix: str, **values: str) -> dict[str, str]:
    """Values that belong together: all of them, or none.

    Raises  ImproperlyConfigured: some are set, and the one that it names is not.
    """
    missing = [f"{prefix}_{name.upper()}" for name, value in values.items() if not value.strip()]
    if missing and len(missing) < len(values):
        raise ImproperlyConfigured(f"{' and '.join(missing)} must be set, since another {prefix}_… is.")
    return {} if missing else values


_google = whole(
    "CAUSERIE_GOOGLE",
    client_id=env.text("CAUSERIE_GOOGLE_CLIENT_ID", ""),
    client_secret=env.text("CAUSERIE_GOOGLE_CLIENT_SECRET", ""),
)
_github = whole(
    "CAUSERIE_GITHUB",
    client_id=env.text("CAUSERIE_GITHUB_CLIENT_ID", ""),
    client_secret=env.text("CAUSERIE_GITHUB_CLIENT_SECRET", ""),
)
_x = whole(
    "CAUSERIE_X",
    client_id=env.text("CAUSERIE_X_CLIENT_ID", ""),
    client_secret=env.text("CAUSERIE_X_CLIENT_SECRET", ""),
)
_apple = whole(
    "CAUSERIE_APPLE",
    client_id=env.text("CAUSERIE_APPLE_CLIENT_ID", ""),
    team_id=env.text("CAUSERIE_APPLE_TEAM_ID", ""),
    key_id=env.text("CAUSERIE_APPLE_KEY_ID", ""),
    private_key=env.text("CAUSERIE_APPLE_PRIVATE_KEY", ""),
)
_oidc = whole(
    "CAUSERIE_OIDC",
    client_id=env.text("CAUSERIE_OIDC_CLIENT_ID", ""),
    client_secret=env.text("CAUSERIE_OIDC_CLIENT_SECRET", ""),
    server_url=env.text("CAUSERIE_OIDC_SERVER_URL", ""),
)
_oidc_name = env.text("CAUSERIE_OIDC_NAME", "OpenID Connect")


def _app(name: str, keys: dict[str, str], *, told: str = "client_secret", **more: object) -> list[dict[str, object]]:
    """How allauth wants to hear of a way in; nothing where there are no keys."""
    return [{"name": name, "client_id": keys["client_id"], "secret": keys[told], **more}] if keys else []


def _origin(address: str) -> str:
    parts = urlsplit(address)
    if parts.scheme not in ("https", "http") or not parts.netloc:
        raise ImproperlyConfigured(f"CAUSERIE_OIDC_SERVER_URL is “{address}”; it takes an address with https://.")
    return f"{parts.scheme}://{parts.netloc}"


_signs_with = {"certificate_key": _apple.get("private_key")}  # Apple knows no secret, but a key and its number
_server = _oidc.get("server_url", "").rstrip("/")
SOCIALACCOUNT_PROVIDERS: dict[str, dict[str, Any]] = {
    "google": {"APPS": _app("Google", _google), "SCOPE": ["profile", "email"], "OAUTH_PKCE_ENABLED": True},
    "apple": {"APPS": _app("Apple", _apple, told="key_id", key=_apple.get("team_id"), settings=_signs_with)},
    "twitter_oauth2": {"APPS": _app("X", _x), "OAUTH_PKCE_ENABLED": True},
    "github": {"APPS": _app("GitHub", _github), "SCOPE": ["user:email"], "OAUTH_PKCE_ENABLED": True},
    "openid_connect": {
        "APPS": _app(
            _oidc_name, _oidc, provider_id="oidc", settings={"server_url": _server, "oauth_pkce_enabled": True}
        )
    },
}
# Where a button's form may lead: browsers hold the redirects of a form against `form-action`.
SOCIAL_PAGES = " ".join(
    page
    for page, keys in (
        ("https://accounts.google.com", _google),
        ("https://appleid.apple.com", _apple),
        ("https://x.com https://twitter.com", _x),
        ("https://github.com", _github),
        (_origin(_server) if _server else "", _oidc),
    )
    if keys
)
WAYS_ELSEWHERE = (
    "allauth.socialaccount",
    *(f"allauth.socialaccount.providers.{provider}" for provider in SOCIALACCOUNT_PROVIDERS),
)
SOCIALACCOUNT_ADAPTER = "apps.accounts.social.SocialAdapter"
SOCIALACCOUNT_FORMS = {"signup": "apps.accounts.forms.SocialSignUpForm"}
SOCIALACCOUNT_AUTO_SIGNUP = False  # the terms are accepted first
# An address alone never opens an account that is there: who has one signs in, and connects the other in the settings.
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False
SOCIALACCOUNT_LOGIN_ON_GET = False
SOCIALACCOUNT_STORE_TOKENS = False  # we act in nobody's name there
SOCIALACCOUNT_REQUESTS_TIMEOUT = 5
