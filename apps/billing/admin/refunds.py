"""Refunds: asked for from an invoice, agreed to by a second person, never edited."""

from typing import cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from apps.accounts.models import User
from apps.billing import offers, refunds
from apps.billing.admin.base import MirrorAdmin, permission
from apps.billing.errors import NotRefundable
from apps.billing.forms import RefundForm
from apps.billing.models import InvoiceMirror, RefundRequest
from apps.core import clock

APPROVE = permission("approve", RefundRequest)


@admin.register(RefundRequest)
class RefundRequestAdmin(MirrorAdmin):
    list_display = ("asked_at", "account", "invoice", "amount_minor", "state", "ending", "asked_by", "decided_by")
    list_filter = ("state", "ending", "why")
    search_fields = ("account__owner__email", "=invoice__number", "=stripe_refund_id", "reason")
    list_select_related = ("account", "invoice", "asked_by", "decided_by")
    ordering = ("-asked_at",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(ModelAdmin.has_add_permission(self, request))

    def get_urls(self) -> list[URLPattern]:
        decide = self.admin_site.admin_view(self.decide)
        return [path("<uuid:key>/decide/", decide, name="billing_refund_decide"), *super().get_urls()]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        found = InvoiceMirror.objects.select_related("account__owner")
        invoice = get_object_or_404(found, pk=request.GET.get("invoice", ""))
        left_minor = refunds.left_minor(invoice)
        form = RefundForm(request.POST or None, left_minor=left_minor)
        if form.is_valid() and (asked := self._ask(request, invoice, form)):
            return redirect("admin:billing_refundrequest_change", asked.pk)
        context = {
            **self.admin_site.each_context(request),
            "form": form,
            "invoice": invoice,
            "left": offers.money(left_minor, invoice.currency),
            "paid": offers.money(invoice.amount_paid_minor, invoice.currency),
            "title": _("Give money back"),
            "opts": self.opts,
        }
        return render(request, "billing/admin/refund_form.html", context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request) or request.method not in ("GET", "HEAD"):
            raise PermissionDenied
        found = RefundRequest.objects.select_related("account__owner", "invoice", "asked_by", "decided_by")
        asked = get_object_or_404(found, pk=object_id)
        staff = cast(User, request.user)
        is_waiting = asked.state == RefundRequest.State.WAITING
        context = {
            **self.admin_site.each_context(request),
            "asked": asked,
            "amount": offers.money(asked.amount_minor, asked.invoice.currency),
            "is_waiting": is_waiting,
            "may_decide": is_waiting and staff.has_perm(APPROVE) and asked.asked_by_id != staff.pk,
            "title": _("Refund"),
            "opts": self.opts,
        }
        return render(request, "billing/admin/refund.html", context)

    def decide(self, request: HttpRequest, key: str) -> HttpResponse:
        staff = cast(User, request.user)
        if request.method != "POST" or not staff.has_perm(APPROVE):
            raise PermissionDenied
        asked = get_object_or_404(RefundRequest, pk=key)
        try:
            if request.POST.get("answer") == "approve":
                refunds.approve(asked, by=staff, now=clock.now())
            else:
                refunds.reject(asked, reason=request.POST.get("reason", ""), by=staff, now=clock.now())
        except NotRefundable as error:
            self.message_user(request, str(error.sentence), messages.ERROR)
        return redirect("admin:billing_refundrequest_change", asked.pk)

    def _ask(self, request: HttpRequest, invoice: InvoiceMirror, form: RefundForm) -> RefundRequest | None:
        try:
            asked = refunds.ask(invoice, form.wish(), by=cast(User, request.user), now=clock.now())
        except NotRefundable as error:
            form.add_error(error.field if error.field in form.fields else None, str(error.sentence))
            return None
        is_waiting = asked.state == RefundRequest.State.WAITING
        words = _("Somebody else must agree to this one.") if is_waiting else _("On its way.")
        self.message_user(request, words)
        return asked
