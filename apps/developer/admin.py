from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from apps.developer.models import ApiKey


@admin.register(ApiKey)
class ApiKeyAdmin(ModelAdmin):  # type: ignore[misc]  # unfold ships no types
    list_display = ("hint", "name", "account", "created_at", "last_used_at", "expires_at", "revoked_at")
    search_fields = ("hint", "=account__id", "account__owner__email")
    list_select_related = ("account",)
    exclude = ("secret_hash",)
    ordering = ("-created_at",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
