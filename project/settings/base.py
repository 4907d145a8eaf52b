"""What every place shares. Values come from the environment through `project.env`; nothing is started here."""

from pathlib import Path
from typing import Any

import dj_database_url
from django.utils.translation import gettext_lazy as _

from project import env
from project.settings import reports
from project.settings.api import *  # noqa: F403
from project.settings.logs import configure_logs, report_errors
from project.settings.people import *  # noqa: F403
from project.settings.reports import *  # noqa: F403
from project.settings.second_factor import *  # noqa: F403
from project.settings.social import *  # noqa: F403
from project.settings.social import SOCIAL_PAGES, WAYS_ELSEWHERE
from project.settings.staff_pages import UNFOLD  # noqa: F401

ROOT = Path(__file__).resolve().parent.parent.parent
LOCAL_DIR = Path(env.text("CAUSERIE_LOCAL_DIR", str(ROOT / ".local")))

DEBUG = env.flag("CAUSERIE_DEBUG", default=False)
# Local tools are the mailbox page, the sandbox of Stripe and its banner; production refuses to start with them.
LOCAL_TOOLS = False
SITE_NAME = "Causerie"

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    *WAYS_ELSEWHERE,
    "rest_framework",
    "drf_spectacular",
    "django_htmx",
    "django_vite",
    "apps.core",
    "apps.accounts",
    "apps.billing",
    "apps.usage",
    "apps.inference",
    "apps.chat",
    "apps.developer",
    "apps.reporting",
    "apps.privacy",
    "apps.staff",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "project.middleware.StaticFilesMiddleware",
    "project.middleware.RequestMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    *reports.DEMO_MIDDLEWARE,
    "project.middleware.GuestMiddleware",
    "project.middleware.LookMiddleware",
    "project.middleware.ProofMiddleware",
    "apps.core.answers.CauserieErrorMiddleware",
]

ROOT_URLCONF = "project.urls"
ASGI_APPLICATION = "project.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "project.context.site",
                "project.context.trouble",
            ]
        },
    }
]

# --- data ---
DATABASE_URL = env.text("DATABASE_URL", "")
DATABASES: dict[str, Any] = {"default": dict(dj_database_url.parse(DATABASE_URL)) if DATABASE_URL else {}}
if DATABASE_URL:
    # PgBouncer-safe; the pool bounds what a process may open; after a restart of Postgres no dead connection is used.
    DATABASES["default"] |= {
        "CONN_HEALTH_CHECKS": True,
        "DISABLE_SERVER_SIDE_CURSORS": True,
        "OPTIONS": {"pool": {"min_size": 1, "max_size": env.integer("DATABASE_POOL_SIZE", 20, least=2), "timeout": 10}},
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

VALKEY_URL = env.url("VALKEY_URL", "redis://127.0.0.1:6379/0", schemes=("redis", "rediss", "unix"))
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": VALKEY_URL,
        "KEY_PREFIX": "cache",
        "OPTIONS": {"socket_timeout": 2, "socket_connect_timeout": 2},
    }
}
CELERY_BROKER_URL = env.text("CELERY_BROKER_URL", VALKEY_URL)
# A broker that hangs is one that is away: a nudge is given up after some seconds, and a sweeper finds the row.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    "socket_keepalive": True,
    "queue_order_strategy": "project.precedence.Turns",  # another broker needs a worker for each queue of runs
}

# --- money ---
CATALOGUE_PATH = Path(env.text("CAUSERIE_CATALOGUE", str(ROOT / "project" / "catalogue.toml")))
STRIPE_API = "https://api.stripe.com"
STRIPE_API_BASE = env.url("STRIPE_API_BASE", STRIPE_API, schemes=("https", "http"))
STRIPE_SECRET_KEY = env.text("STRIPE_SECRET_KEY", "")
STRIPE_WEBHOOK_SECRETS = env.words("STRIPE_WEBHOOK_SECRETS")
STRIPE_AUTOMATIC_TAX = env.flag("STRIPE_AUTOMATIC_TAX", default=False)
# What one of the staff may give back alone, in minor units of whatever currency; beyond it, a second person agrees.
REFUND_ALONE_MINOR = env.integer("REFUND_ALONE_MINOR", 10_000, least=0)

# --- models: the addresses and keys that the catalogue's back ends name ---
MODEL_BASE_URL = env.text("MODEL_BASE_URL", "")
MODEL_API_KEY = env.text("MODEL_API_KEY", "")
QUEUE_WAIT_LIMIT_S = env.integer("CAUSERIE_QUEUE_WAIT_LIMIT_S", 60, least=1)  # who would wait longer is told so at once
OPENAI_BASE_URL = env.url("OPENAI_BASE_URL", "https://api.openai.com/v1", schemes=("https", "http"))
OPENAI_API_KEY = env.text("OPENAI_API_KEY", "")
ANTHROPIC_BASE_URL = env.url("ANTHROPIC_BASE_URL", "https://api.anthropic.com/v1", schemes=("https", "http"))
ANTHROPIC_API_KEY = env.text("ANTHROPIC_API_KEY", "")
XAI_BASE_URL = env.url("XAI_BASE_URL", "https://api.x.ai/v1", schemes=("https", "http"))
XAI_API_KEY = env.text("XAI_API_KEY", "")

# --- pages ---
SITE_URL = env.url("SITE_URL", "http://127.0.0.1:8000", schemes=("https", "http"))
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", "127.0.0.1,localhost")
CSRF_TRUSTED_ORIGINS = [SITE_URL]
CSRF_FAILURE_VIEW = "project.views.answer_forged"
SECRET_KEY = env.text("SECRET_KEY", "")
STATIC_URL = "/static/"
STATIC_ROOT = ROOT / "staticfiles"
STATICFILES_DIRS = [path for path in (ROOT / "frontend" / "dist",) if path.is_dir()]
DJANGO_VITE = {"default": {"dev_mode": False, "manifest_path": ROOT / "frontend" / "dist" / "manifest.json"}}
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("fr", _("French"))]
LOCALE_PATHS = [ROOT / "locale"]
FORMAT_MODULE_PATH = ["project.formats"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
# A form that opens Stripe's pages is answered by a redirect to them, which browsers hold against `form-action`.
_hosted = "https://checkout.stripe.com https://billing.stripe.com https://invoice.stripe.com"
_pay_pages = _hosted if STRIPE_API_BASE == STRIPE_API else STRIPE_API_BASE
_policy = {
    "default-src": "'self'",
    "img-src": "'self' data:",
    "object-src": "'none'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
    "form-action": f"'self' {_pay_pages} {SOCIAL_PAGES}".strip(),
}
# Unfold's pages carry Alpine.js, which evaluates attributes; only staff see them.
_admin_policy = _policy | {"script-src": "'self' 'unsafe-inline' 'unsafe-eval'", "style-src": "'self' 'unsafe-inline'"}
CONTENT_SECURITY_POLICY = "; ".join(f"{kind} {sources}" for kind, sources in _policy.items())
ADMIN_CONTENT_SECURITY_POLICY = "; ".join(f"{kind} {sources}" for kind, sources in _admin_policy.items())
SESSION_COOKIE_SAMESITE = "Lax"

EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
EMAIL_HOST = env.text("EMAIL_HOST", "localhost")
EMAIL_PORT = env.integer("EMAIL_PORT", 25, least=1)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = env.flag("EMAIL_USE_TLS", default=False)
DEFAULT_FROM_EMAIL = env.text("EMAIL_FROM", "Causerie <hello@causerie.local>")

report_errors(env.text("SENTRY_DSN", ""))

SILENCED_SYSTEM_CHECKS: list[str] = []

configure_logs(
    json=not env.flag("CAUSERIE_PLAIN_LOGS", default=False),
    level=env.choice("CAUSERIE_LOG_LEVEL", "INFO", among=("DEBUG", "INFO", "WARNING", "ERROR")),
)
LOGGING_CONFIG = None
