"""Every address of the product. Each room says its own; here they get their place."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView

from apps.accounts import urls as accounts
from apps.billing import urls as billing
from apps.chat import urls as chat
from apps.developer import urls as developer
from apps.inference import urls as inference
from apps.privacy import urls as privacy
from apps.reporting import urls as reporting
from apps.staff import urls as staff
from apps.usage import urls as usage
from project import views

ROOMS_WITH_PAGES = (accounts, billing, usage, chat, developer, privacy)
ROOMS_WITH_JSON = (billing, usage, chat)

urlpatterns = [
    path("", views.show_home, name="home"),
    path("robots.txt", views.list_robots, name="robots"),
    path("healthz", views.answer_alive, name="alive"),
    path("readyz", views.answer_ready, name="ready"),
    path("metrics", views.show_metrics, name="metrics"),
    path("i18n/", include("django.conf.urls.i18n")),
    *(path(f"accounts/{name}/", views.lead_to_security) for name in ("2fa", "2fa/webauthn", "sessions")),
    path("accounts/email/", views.lead_to_email),
    *(path("", include((room.page_urls, room.app_name))) for room in ROOMS_WITH_PAGES),
    path("accounts/", include("allauth.urls")),
    *(path("api/v1/", include((room.api_urls, f"{room.app_name}-api"))) for room in ROOMS_WITH_JSON),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("v1/", include((developer.v1_urls, "v1"))),
    path("admin/backends/", include((inference.admin_urls, inference.app_name))),
    path("admin/customers/", include((staff.admin_urls, staff.app_name))),
    path("admin/reports/", include((reporting.admin_urls, reporting.app_name))),
    path("admin/", admin.site.urls),
]
if settings.LOCAL_TOOLS:
    from apps.localdev import urls as localdev

    urlpatterns.append(path("", include((localdev.page_urls, localdev.app_name))))

handler400 = views.answer_bad_request
handler403 = views.answer_forbidden
handler404 = views.answer_missing
handler429 = views.answer_too_many  # allauth's name for it
handler500 = views.answer_broken
