"""What all pages of billing have in common for staff."""

from django.contrib.auth import get_permission_codename
from django.db.models import Model
from django.http import HttpRequest
from unfold.admin import ModelAdmin


def permission(verb: str, table: type[Model]) -> str:
    """What `has_perm` is asked for."""
    return f"{table._meta.app_label}.{get_permission_codename(verb, table._meta)}"


class MirrorAdmin(ModelAdmin):  # type: ignore[misc]  # unfold ships no types
    """Stripe and sync write these rows; staff look, and change nothing here."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
