from django.urls import path

from apps.billing import api
from apps.billing.views import buying, changes, paying, plan

app_name = "billing"
page_urls = [
    path("pricing/", buying.show_pricing, name="pricing"),
    path("billing/checkout/", buying.start_checkout, name="start-checkout"),
    path("billing/after-checkout/", buying.after_checkout, name="after-checkout"),
    path("billing/pay/", paying.pay, name="pay"),
    path("billing/portal/", plan.open_portal, name="open-portal"),
    path("billing/after-portal/", plan.after_portal, name="after-portal"),
    path("billing/invoices/<str:invoice_id>/", plan.open_invoice, name="open-invoice"),
    path("billing/invoices/<str:invoice_id>/file/", plan.open_file, name="open-invoice-file"),
    path("billing/webhook", api.receive_event, name="webhook"),
    path("settings/plan/", plan.show_plan, name="plan"),
    path("settings/plan/change/", changes.change_plan, name="change-plan"),
    path("settings/plan/change/<uuid:change_id>/", changes.show_change, name="show-change"),
    path("settings/plan/keep/", changes.keep_plan, name="keep-plan"),
    path("settings/plan/drop/", changes.drop_change, name="drop-change"),
    path("settings/plan/cancel/", changes.cancel_plan, name="cancel-plan"),
    path("settings/plan/resume/", changes.resume_plan, name="resume-plan"),
]
api_urls = [path("billing/state", api.show_state, name="state")]
