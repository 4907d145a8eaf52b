"""What all pages of billing have in common for staff."""

from django.db.models import Model
from django.http import HttpRequest
from unfold.admin import ModelAdmin


class MirrorAdmin(ModelAdmin):  # type: ignore[misc]  # unfold ships no types
    """Stripe and sync write these rows; staff look, and change nothing here."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
