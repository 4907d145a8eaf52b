"""One account on one page: what it has, what Stripe says of it, and what staff may do about it."""

from typing import cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.billing import entitlements, holds, offers, sync
from apps.billing.admin.base import MirrorAdmin, permission
from apps.billing.admin.sections import sections_of
from apps.billing.errors import NotHoldable
from apps.billing.models import BillingAccount
from apps.core import clock

WAIT_S = 3.0
HOLD = permission("change", BillingAccount)


@admin.register(BillingAccount)
class BillingAccountAdmin(MirrorAdmin):
    list_display = ("owner", "stripe_customer_id", "currency", "hold_reason", "delinquent_since", "last_synced_at")
    list_filter = ("livemode", "hold_reason", "currency", ("delinquent_since", admin.EmptyFieldListFilter))
    search_fields = (
        "=id", "owner__email", "=stripe_customer_id", "=subscriptions__stripe_subscription_id", "=invoices__number",
    )  # fmt: skip
    list_select_related = ("owner",)
    ordering = ("-created_at",)
    actions = ("look_at_stripe",)

    @admin.action(description=_("Look at Stripe now"), permissions=["view"])
    def look_at_stripe(self, request: HttpRequest, accounts: QuerySet[BillingAccount]) -> None:
        for account in accounts:
            sync.want(account, is_full=True)
        self.message_user(request, _("Stripe is being looked at; reload in a moment."))

    def get_urls(self) -> list[URLPattern]:
        look, hold = self.admin_site.admin_view(self.look), self.admin_site.admin_view(self.hold)
        own = [
            path("<uuid:key>/look/", look, name="billing_account_look"),
            path("<uuid:key>/hold/", hold, name="billing_account_hold"),
        ]
        return [*own, *super().get_urls()]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, object] | None = None,
    ) -> HttpResponse:
        if not self.has_view_permission(request) or request.method not in ("GET", "HEAD"):
            raise PermissionDenied
        accounts = BillingAccount.objects.select_related("owner")
        account = get_object_or_404(accounts, pk=self.model._meta.pk.to_python(object_id))
        now = clock.now()
        has = entitlements.in_force(account, now=now)
        staff = cast(User, request.user)
        context = {
            **self.admin_site.each_context(request),
            "account": account,
            "has": has,
            "source": has.source,
            "sections": sections_of(account, staff),
            "can_hold": staff.has_perm(HOLD),
            "title": account.owner.email,
            "opts": self.opts,
            "money": offers.money,
        }
        return render(request, "billing/admin/account.html", context)

    def look(self, request: HttpRequest, key: str) -> HttpResponse:
        account = self._asked(request, key, may=self.has_view_permission(request))
        sync.want(account, is_full=True)
        is_done = sync.sync_customer(account.pk, clock=clock.now, budget_s=WAIT_S)
        words = _("This is what Stripe says now.") if is_done else _("Stripe is being looked at; reload in a moment.")
        self.message_user(request, words)
        return redirect("admin:billing_billingaccount_change", account.pk)

    def hold(self, request: HttpRequest, key: str) -> HttpResponse:
        staff = cast(User, request.user)
        account = self._asked(request, key, may=staff.has_perm(HOLD))
        act = holds.lift if request.POST.get("act") == "lift" else holds.place
        try:
            act(account, reason=request.POST.get("reason", ""), by=staff, now=clock.now())
        except NotHoldable as error:
            self.message_user(request, str(error.sentence), messages.ERROR)
        return redirect("admin:billing_billingaccount_change", account.pk)

    def _asked(self, request: HttpRequest, key: str, *, may: bool) -> BillingAccount:
        if request.method != "POST" or not may:
            raise PermissionDenied
        return get_object_or_404(BillingAccount, pk=key)
