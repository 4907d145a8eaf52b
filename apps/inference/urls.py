from django.urls import path

from apps.inference import views

app_name = "inference"
admin_urls = [
    path("", views.show_fleet, name="fleet"),
    path("<slug:key>/drain/", views.drain, name="drain"),
    path("<slug:key>/resume/", views.resume, name="resume"),
    path("<slug:key>/key/", views.enter_key, name="enter-key"),
    path("<slug:key>/key/remove/", views.remove_key, name="remove-key"),
]
