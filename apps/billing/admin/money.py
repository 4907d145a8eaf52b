"""Invoices, and what of them went back."""

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from apps.billing import offers, refunds
from apps.billing.admin.base import MirrorAdmin
from apps.billing.models import CreditNoteMirror, DisputeMirror, InvoiceMirror, RefundMirror


@admin.register(InvoiceMirror)
class InvoiceMirrorAdmin(MirrorAdmin):
    list_display = ("created", "number", "account", "status", "total_minor", "currency", "billing_reason", "paid_at")
    list_filter = ("status", "billing_reason", "currency")
    search_fields = ("=stripe_invoice_id", "=number", "account__owner__email", "=account__stripe_customer_id")
    list_select_related = ("account",)
    ordering = ("-created",)
    readonly_fields = ("give_back",)

    @admin.display(description=_("Refund"))
    def give_back(self, invoice: InvoiceMirror) -> str | SafeString:
        left_minor = refunds.left_minor(invoice)
        if not left_minor:
            return str(_("Nothing of this invoice is left to give back."))
        address = reverse("admin:billing_refundrequest_add", query={"invoice": invoice.pk})
        words = _("Give back up to %(amount)s") % {"amount": offers.money(left_minor, invoice.currency)}
        return format_html('<a class="underline" href="{}">{}</a>', address, words)


@admin.register(RefundMirror)
class RefundMirrorAdmin(MirrorAdmin):
    list_display = ("created", "account", "amount_minor", "currency", "status", "reason")
    list_filter = ("status", "reason")
    search_fields = ("=stripe_refund_id", "=stripe_payment_intent_id", "account__owner__email")
    list_select_related = ("account",)
    ordering = ("-created",)


@admin.register(DisputeMirror)
class DisputeMirrorAdmin(MirrorAdmin):
    """What waits for an answer comes first, the one that is due next on top."""

    list_display = (
        "stripe_dispute_id", "account", "status", "reason", "amount_minor", "currency", "evidence_due_by", "created",
    )  # fmt: skip
    list_filter = ("status", "reason")
    search_fields = ("=stripe_dispute_id", "=stripe_payment_intent_id", "account__owner__email")
    list_select_related = ("account",)
    ordering = ("evidence_due_by", "-created")


@admin.register(CreditNoteMirror)
class CreditNoteMirrorAdmin(MirrorAdmin):
    list_display = ("created", "number", "account", "stripe_invoice_id", "amount_minor", "currency", "status")
    list_filter = ("status", "reason")
    search_fields = ("=stripe_credit_note_id", "=number", "=stripe_invoice_id", "account__owner__email")
    list_select_related = ("account",)
    ordering = ("-created",)
