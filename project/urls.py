"""Every address of the product."""

from importlib import import_module
from importlib.util import find_spec

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView

from project import views

ROOMS = ("accounts", "billing", "usage", "inference", "chat", "developer", "privacy")


def _room(name: str, kind: str) -> list[URLPattern | URLResolver]:
    """The addresses of one kind that a room offers."""
    try:
        if find_spec(f"apps.{name}.urls") is None:
            return []
        return list(getattr(import_module(f"apps.{name}.urls"), kind, []))
    except ImportError:
        return []


urlpatterns = [
    path("", views.show_home, name="home"),
    path("robots.txt", views.list_robots, name="robots"),
    path("healthz", views.answer_alive, name="alive"),
    path("readyz", views.answer_ready, name="ready"),
    path("metrics", views.show_metrics, name="metrics"),
    path("i18n/", include("django.conf.urls.i18n")),
    path("accounts/", include("allauth.urls")),
    *(path("", include((_room(name, "page_urls"), name))) for name in ROOMS),
    *(path("api/v1/", include((_room(name, "api_urls"), f"{name}-api"))) for name in ROOMS),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("v1/", include((_room("developer", "v1_urls"), "v1"))),
    path("admin/reports/", include((_room("reporting", "admin_urls"), "reporting"))),
    path("admin/", admin.site.urls),
]
if settings.LOCAL_TOOLS:
    urlpatterns.append(path("", include((_room("localdev", "page_urls"), "localdev"))))

handler400 = views.answer_bad_request
handler403 = views.answer_forbidden
handler404 = views.answer_missing
handler500 = views.answer_broken
