from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from apps.inference.models import Run


@admin.register(Run)
class RunAdmin(ModelAdmin):  # type: ignore[misc]  # unfold ships no types
    list_display = ("id", "state", "channel", "model", "backend", "attempts", "error_code", "created_at", "ended_at")
    list_filter = ("state", "channel", "model", "backend")
    search_fields = ("id", "account__id")
    ordering = ("-created_at",)
    exclude = ("text", "reasoning", "request")  # nobody reads conversations here

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Run | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Run | None = None) -> bool:
        return False
