from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from apps.usage.models import (
    CreditAccount,
    CreditGrant,
    SpendingCap,
    UsageAlert,
    UsageBucket,
    UsageLedger,
    UsageReservation,
)


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[misc]  # unfold ships no types
    """Balances move by reserve, settle and grants alone: staff look, and change nothing here."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(UsageLedger)
class UsageLedgerAdmin(ReadOnlyAdmin):
    list_display = (
        "occurred_at", "account", "kind", "channel", "plan_key", "model", "messages", "input_tokens", "output_tokens",
        "price_micro", "currency", "cost_micro", "cost_currency", "provenance",
    )  # fmt: skip
    list_filter = ("kind", "channel", "plan_key", "model", "provenance")
    search_fields = ("=run_id", "=account__id", "account__owner__email")
    list_select_related = ("account",)
    ordering = ("-recorded_at",)
    show_full_result_count = False


@admin.register(UsageBucket)
class UsageBucketAdmin(ReadOnlyAdmin):
    list_display = ("account", "limit_key", "window_start", "limit_value", "reserved", "settled", "is_open")
    list_filter = ("meter", "is_open")
    search_fields = ("=account__id", "account__owner__email")
    list_select_related = ("account",)
    ordering = ("-window_start",)
    show_full_result_count = False


@admin.register(UsageReservation)
class UsageReservationAdmin(ReadOnlyAdmin):
    list_display = ("run_id", "account", "amount", "state", "created_at", "expires_at")
    list_filter = ("state",)
    search_fields = ("=run_id", "=account__id")
    list_select_related = ("account",)
    ordering = ("-created_at",)
    show_full_result_count = False


@admin.register(CreditAccount)
class CreditAccountAdmin(ReadOnlyAdmin):
    list_display = ("account", "balance_micro", "reserved_micro", "currency")
    search_fields = ("=account__id", "account__owner__email")
    list_select_related = ("account",)


@admin.register(CreditGrant)
class CreditGrantAdmin(ReadOnlyAdmin):
    list_display = ("granted_at", "account", "source", "source_ref", "amount_micro", "remaining_micro", "expires_at")
    list_filter = ("source",)
    search_fields = ("=account__id", "account__owner__email", "source_ref")
    list_select_related = ("account",)
    ordering = ("-granted_at",)


@admin.register(SpendingCap)
class SpendingCapAdmin(ReadOnlyAdmin):
    list_display = ("account", "key_id", "amount_micro", "set_at")
    search_fields = ("=account__id", "=key_id", "account__owner__email")
    list_select_related = ("account",)
    ordering = ("-set_at",)


@admin.register(UsageAlert)
class UsageAlertAdmin(ReadOnlyAdmin):
    list_display = ("raised_at", "account", "bucket", "percent", "used", "limit_value")
    list_filter = ("percent",)
    search_fields = ("=account__id", "account__owner__email")
    list_select_related = ("account", "bucket")
    ordering = ("-raised_at",)
    show_full_result_count = False
