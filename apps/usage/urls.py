from django.urls import path

from apps.usage import api, views

app_name = "usage"
page_urls = [
    path("settings/usage/", views.show_usage, name="usage"),
    path("settings/usage/cap/", views.set_cap, name="set-cap"),
]
api_urls = [path("balances", api.list_balances, name="balances")]
