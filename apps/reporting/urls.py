from django.urls import path

from apps.reporting.views import accuracy, exports, own, rows, sheets, what_if

app_name = "reporting"
admin_urls = [
    path("", sheets.show_sheet, name="overview"),
    path("notes/write/", own.write_annotation, name="write-annotation"),
    path("notes/<uuid:annotation_id>/remove/", own.remove_annotation, name="remove-annotation"),
    path("views/<slug:slug>/save/", own.save_view, name="save-view"),
    path("views/<uuid:view_id>/remove/", own.remove_view, name="remove-view"),
    path("weekly/", own.change_weekly, name="weekly"),
    path("accuracy/", accuracy.show_accuracy, name="accuracy"),
    path("accuracy/check/", accuracy.check_accuracy, name="check-accuracy"),
    path("what-if/", what_if.show_what_if, name="what-if"),
    path("days.csv", exports.export_days, name="export-days"),
    path("files/<slug:slug>.csv", exports.export_file, name="export-file"),
    path("<slug:slug>/", sheets.show_sheet, name="sheet"),
    path("<slug:slug>/rows/", rows.show_rows, name="rows"),
    path("<slug:slug>/rows.csv", rows.export_rows, name="export-rows"),
    path("<slug:slug>/<slug:table>.csv", sheets.export_table, name="export-table"),
]
