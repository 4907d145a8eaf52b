from django.urls import path

from apps.reporting import views

app_name = "reporting"
admin_urls = [
    path("", views.show_sheet, name="overview"),
    path("days.csv", views.export_days, name="export-days"),
    path("<slug:slug>/", views.show_sheet, name="sheet"),
    path("<slug:slug>/rows/", views.show_rows, name="rows"),
    path("<slug:slug>/rows.csv", views.export_rows, name="export-rows"),
    path("<slug:slug>/<slug:table>.csv", views.export_table, name="export-table"),
]
