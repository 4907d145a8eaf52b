from django.urls import path

from apps.billing import api, views

app_name = "billing"
page_urls = [
    path("pricing/", views.show_pricing, name="pricing"),
    path("billing/checkout/", views.start_checkout, name="start-checkout"),
    path("billing/after-checkout/", views.after_checkout, name="after-checkout"),
    path("billing/pay/", views.pay, name="pay"),
    path("billing/portal/", views.open_portal, name="open-portal"),
    path("billing/after-portal/", views.after_portal, name="after-portal"),
    path("billing/invoices/<str:invoice_id>/", views.open_invoice, name="open-invoice"),
    path("billing/webhook", api.receive_event, name="webhook"),
    path("settings/plan/", views.show_plan, name="plan"),
]
api_urls = [path("billing/state", api.show_state, name="state")]
