from django.urls import path

from apps.localdev import views

app_name = "localdev"
page_urls = [
    path("_mail/", views.list_letters, name="mailbox"),
    path("_mail/<slug:key>/", views.show_letter, name="letter"),
    path("_mail/<slug:key>/page/", views.show_page, name="letter-page"),
]
