from django.urls import path

from apps.reporting import views

app_name = "reporting"
admin_urls = [
    path("", views.show_overview, name="overview"),
    path("days.csv", views.export_days, name="export-days"),
    path("<slug:slug>/rows/", views.show_rows, name="rows"),
    path("<slug:slug>/rows.csv", views.export_rows, name="export-rows"),
]
