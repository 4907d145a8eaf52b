from django.urls import path

from apps.billing import api
from apps.billing.views import buying, paying, plan

app_name = "billing"
page_urls = [
    path("pricing/", buying.show_pricing, name="pricing"),
    path("billing/checkout/", buying.start_checkout, name="start-checkout"),
    path("billing/after-checkout/", buying.after_checkout, name="after-checkout"),
    path("billing/pay/", paying.pay, name="pay"),
    path("billing/portal/", plan.open_portal, name="open-portal"),
    path("billing/after-portal/", plan.after_portal, name="after-portal"),
    path("billing/invoices/<str:invoice_id>/", plan.open_invoice, name="open-invoice"),
    path("billing/webhook", api.receive_event, name="webhook"),
    path("settings/plan/", plan.show_plan, name="plan"),
]
api_urls = [path("billing/state", api.show_state, name="state")]
