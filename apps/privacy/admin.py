from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from apps.privacy.models import DataRequest


@admin.register(DataRequest)
class DataRequestAdmin(ModelAdmin):  # type: ignore[misc]  # unfold ships no types
    """Staff see how far a request is; the archive is for its owner alone."""

    list_display = ("asked_at", "kind", "state", "user", "done_at", "attempts")
    list_filter = ("kind", "state")
    search_fields = ("=id", "=user__id", "user__email")
    list_select_related = ("user",)
    ordering = ("-asked_at",)
    exclude = ("archive",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: DataRequest | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: DataRequest | None = None) -> bool:
        return False
