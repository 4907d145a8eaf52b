from django.urls import path, re_path

from apps.stripe_sandbox import api
from apps.stripe_sandbox.views import (
    answers,
    checkout,
    console,
    console_api,
    invoice,
    money_api,
    portal,
    receipts,
    three_d_secure,
    trouble_api,
)

handler404 = "apps.stripe_sandbox.views.answers.say_missing"

urlpatterns = [
    re_path(r"^v1/", api.answer_call),
    re_path(r"^v2/", api.answer_call),
    path("c/pay/<str:key>", checkout.pay, name="checkout"),
    path("3ds/<str:key>", three_d_secure.ask, name="three-d-secure"),
    path("i/<str:key>", invoice.pay, name="invoice"),
    path("i/<str:key>/receipt", invoice.show_receipt, name="receipt"),
    path("receipts/<str:key>", receipts.show_charge, name="charge-receipt"),
    path("p/session/<str:word>", portal.visit, name="portal"),
    path("_sandbox", console.look, name="console"),
    path("_sandbox/time", console.move_time, name="move-time"),
    path("_sandbox/send-again", console.send_again, name="send-again"),
    path("_sandbox/faults", console.arm, name="arm"),
    path("_sandbox/style.css", answers.style, name="style"),
    path("_sandbox/api/health", console_api.show_health),
    path("_sandbox/api/reset", console_api.empty),
    path("_sandbox/api/deliver", console_api.deliver),
    path("_sandbox/api/deliveries", console_api.list_deliveries),
    path("_sandbox/api/deliveries/<int:number>", console_api.show_delivery),
    path("_sandbox/api/deliveries/<int:number>/send", console_api.send_again),
    path("_sandbox/api/endpoints/<str:key>/roll", console_api.roll_secret),
    path("_sandbox/api/clocks", console_api.open_clock),
    path("_sandbox/api/clocks/end-quiet", console_api.end_quiet),
    path("_sandbox/api/charges/<str:key>/dispute", money_api.open_dispute),
    path("_sandbox/api/disputes/<str:key>/decide", money_api.decide_dispute),
    path("_sandbox/api/faults", trouble_api.keep_faults),
    path("_sandbox/api/violations", trouble_api.keep_violations),
    path("_sandbox/api/dashboard", trouble_api.act_as_dashboard),
    path("_sandbox/api/time", trouble_api.move_time),
    path("_sandbox/api/operations", console_api.list_operations),
    path("_sandbox/api/objects", console_api.list_kinds),
    path("_sandbox/api/objects/<str:kind>", console_api.list_objects),
]
