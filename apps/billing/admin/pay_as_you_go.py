"""Credit that is bought, usage that is charged, and what subscribers asked for."""

from django.contrib import admin

from apps.billing.admin.base import MirrorAdmin
from apps.billing.models import AutoRecharge, CreditPurchase, MeterOutbox, Overage, PlanChange


@admin.register(CreditPurchase)
class CreditPurchaseAdmin(MirrorAdmin):
    list_display = ("created_at", "account", "kind", "amount_minor", "currency", "state", "failure_code", "closed_at")
    list_filter = ("state", "kind", "currency")
    search_fields = ("=id", "account__owner__email", "=account__stripe_customer_id")
    exclude = ("session_id",)
    list_select_related = ("account",)
    ordering = ("-created_at",)


@admin.register(AutoRecharge)
class AutoRechargeAdmin(MirrorAdmin):
    list_display = ("account", "is_on", "threshold_micro", "amount_minor", "most_minor", "currency", "off_reason",
                    "consented_at", "changed_at")  # fmt: skip
    list_filter = ("is_on", "off_reason", "currency")
    search_fields = ("account__owner__email", "=account__stripe_customer_id")
    list_select_related = ("account",)
    ordering = ("-changed_at",)


@admin.register(Overage)
class OverageAdmin(MirrorAdmin):
    list_display = ("account", "is_on", "cap_micro", "currency", "stripe_subscription_id", "consented_at", "changed_at")
    list_filter = ("is_on", "currency")
    search_fields = ("=stripe_subscription_id", "account__owner__email", "=account__stripe_customer_id")
    list_select_related = ("account",)
    ordering = ("-changed_at",)


@admin.register(MeterOutbox)
class MeterOutboxAdmin(MirrorAdmin):
    list_display = ("ts", "account", "value", "state", "reported_ts", "attempts", "next_at", "error")
    list_filter = ("state",)
    search_fields = ("=ledger_id", "account__owner__email", "=account__stripe_customer_id")
    list_select_related = ("account",)
    ordering = ("-ts",)


@admin.register(PlanChange)
class PlanChangeAdmin(MirrorAdmin):
    list_display = ("created_at", "account", "kind", "state", "to_price", "takes_effect_at", "agreed_at", "error")
    list_filter = ("state", "kind")
    search_fields = ("=id", "account__owner__email", "=subscription__stripe_subscription_id", "=invoice_id")
    list_select_related = ("account", "to_price")
    ordering = ("-created_at",)
