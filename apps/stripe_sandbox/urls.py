from django.urls import path, re_path

from apps.stripe_sandbox import api
from apps.stripe_sandbox.views import console_api

urlpatterns = [
    re_path(r"^v1/", api.answer_call),
    re_path(r"^v2/", api.answer_call),
    path("_sandbox/api/health", console_api.show_health),
    path("_sandbox/api/reset", console_api.empty),
    path("_sandbox/api/deliver", console_api.deliver),
    path("_sandbox/api/deliveries", console_api.list_deliveries),
    path("_sandbox/api/deliveries/<int:number>/send", console_api.send_again),
    path("_sandbox/api/faults", console_api.keep_faults),
    path("_sandbox/api/violations", console_api.keep_violations),
    path("_sandbox/api/objects", console_api.list_kinds),
    path("_sandbox/api/objects/<str:kind>", console_api.list_objects),
]
