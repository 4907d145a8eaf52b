from django.urls import path

from apps.usage import api
from apps.usage.views import credit, usage

app_name = "usage"
page_urls = [
    path("settings/usage/", usage.show_usage, name="usage"),
    path("settings/usage/cap/", usage.set_cap, name="set-cap"),
    path("settings/credit/", credit.show_credit, name="credit"),
    path("settings/credit/buy/", credit.buy_credit, name="buy-credit"),
    path("settings/credit/bought/", credit.after_purchase, name="after-purchase"),
    path("settings/credit/recharge/", credit.set_recharge, name="set-recharge"),
    path("settings/credit/usage-charges/", credit.set_usage_charges, name="set-usage-charges"),
]
api_urls = [path("balances", api.list_balances, name="balances")]
