from django.urls import path

from apps.reporting import views

app_name = "reporting"
admin_urls = [
    path("", views.show_sheet, name="overview"),
    path("notes/write/", views.write_annotation, name="write-annotation"),
    path("notes/<uuid:annotation_id>/remove/", views.remove_annotation, name="remove-annotation"),
    path("views/<slug:slug>/save/", views.save_view, name="save-view"),
    path("views/<uuid:view_id>/remove/", views.remove_view, name="remove-view"),
    path("weekly/", views.change_weekly, name="weekly"),
    path("days.csv", views.export_days, name="export-days"),
    path("files/<slug:slug>.csv", views.export_file, name="export-file"),
    path("<slug:slug>/", views.show_sheet, name="sheet"),
    path("<slug:slug>/rows/", views.show_rows, name="rows"),
    path("<slug:slug>/rows.csv", views.export_rows, name="export-rows"),
    path("<slug:slug>/<slug:table>.csv", views.export_table, name="export-table"),
]
