from django.urls import path

from apps.privacy import views

app_name = "privacy"
page_urls = [
    path("settings/data/", views.show_data, name="data"),
    path("settings/data/export/", views.ask_export, name="ask-export"),
    path("settings/data/export/<uuid:request_id>/", views.fetch_export, name="fetch-export"),
    path("settings/data/delete/", views.delete_account, name="delete"),
    path("settings/data/keep/<str:token>/", views.keep_account, name="keep"),
    path("accounts/inactive/", views.show_closed),  # allauth's address for closed accounts
    path("settings/data/receipt/<uuid:request_id>/", views.show_receipt, name="receipt"),
]
