"""Real people, real money: refuses to start with local tools, default secrets or DEBUG."""

import os

from django.core.exceptions import ImproperlyConfigured

from project import env
from project.settings.base import *  # noqa: F403
from project.settings.base import (
    DATABASE_URL,
    DEBUG,
    LOCAL_TOOLS,
    SECRET_KEY,
    SITE_URL,
    SOCIAL_PAGES,
    STRIPE_API,
    STRIPE_API_BASE,
    STRIPE_SECRET_KEY,
    STRIPE_WEBHOOK_SECRETS,
)

SHORTEST_SECRET = 40

if DEBUG:
    raise ImproperlyConfigured("CAUSERIE_DEBUG must be off in production.")
if len(SECRET_KEY) < SHORTEST_SECRET or "not-a-secret" in SECRET_KEY:
    raise ImproperlyConfigured(f"SECRET_KEY must be your own, random and at least {SHORTEST_SECRET} characters long.")
if not DATABASE_URL:
    raise ImproperlyConfigured("DATABASE_URL is required and not set.")
env.text("VALKEY_URL")
if LOCAL_TOOLS or "CAUSERIE_LOCAL_DIR" in os.environ:
    raise ImproperlyConfigured("CAUSERIE_LOCAL_DIR belongs to local settings; production has no local tools.")
if not SITE_URL.startswith("https://"):
    raise ImproperlyConfigured("SITE_URL must begin with https:// in production.")
if STRIPE_API_BASE != STRIPE_API:
    raise ImproperlyConfigured(f"STRIPE_API_BASE must be {STRIPE_API} in production.")
if not STRIPE_SECRET_KEY.startswith(("sk_live_", "rk_live_", "sk_test_", "rk_test_")):
    raise ImproperlyConfigured("STRIPE_SECRET_KEY must be a secret or restricted key of Stripe.")
if not STRIPE_WEBHOOK_SECRETS:
    raise ImproperlyConfigured("STRIPE_WEBHOOK_SECRETS is required and not set.")

SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
SECURE_SSL_REDIRECT = env.flag("CAUSERIE_SSL_REDIRECT", default=True)
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz)$"]  # who asks stands inside and speaks plain HTTP
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = env.integer("CAUSERIE_HSTS_SECONDS", 3600)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "servestatic.storage.CompressedManifestStaticFilesStorage"},
}
if "http://" in SOCIAL_PAGES:
    raise ImproperlyConfigured("CAUSERIE_OIDC_SERVER_URL must begin with https:// in production.")
env.refuse_unknown()
