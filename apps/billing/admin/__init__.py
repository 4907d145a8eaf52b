from typing import cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin

from apps.accounts.models import User
from apps.billing import differences, drift, entitlements, grants, repairs
from apps.billing.admin import accounts, money, pay_as_you_go, refunds  # noqa: F401  their pages are registered by this
from apps.billing.admin.base import MirrorAdmin
from apps.billing.errors import NotGrantable, ReasonMissing
from apps.billing.forms import GrantForm, RevokeForm
from apps.billing.grants import Span
from apps.billing.models import (
    CheckoutAttempt,
    DriftItem,
    EntitlementSnapshot,
    ModelPrice,
    PlanGrant,
    PlanVersion,
    Price,
    Reconciliation,
    StripeEvent,
    StripeOutbox,
    SubscriptionMirror,
    SubscriptionState,
)
from apps.core import clock


@admin.register(SubscriptionMirror)
class SubscriptionMirrorAdmin(MirrorAdmin):
    list_display = ("stripe_subscription_id", "account", "status", "plan", "mrr_micro", "currency",
                    "current_period_end", "cancel_at_period_end")  # fmt: skip
    list_filter = ("status", "plan", "cancel_at_period_end")
    search_fields = ("=stripe_subscription_id", "account__owner__email")
    list_select_related = ("account", "plan")
    ordering = ("-started_at",)


@admin.register(SubscriptionState)
class SubscriptionStateAdmin(MirrorAdmin):
    list_display = ("effective_at", "subscription", "status", "plan", "interval", "mrr_micro", "currency", "cause")
    list_filter = ("cause", "status", "plan")
    search_fields = ("=subscription__stripe_subscription_id", "account__owner__email")
    list_select_related = ("subscription", "plan")
    ordering = ("-effective_at",)


@admin.register(EntitlementSnapshot)
class EntitlementSnapshotAdmin(MirrorAdmin):
    list_display = ("valid_from", "account", "version", "plan_version", "source", "reason", "valid_until")
    list_filter = ("source", "reason")
    search_fields = ("account__owner__email",)
    list_select_related = ("account", "plan_version")
    ordering = ("-valid_from",)


@admin.register(PlanGrant)
class PlanGrantAdmin(MirrorAdmin):
    """Given by a form and taken back by an action, each with a reason; nothing is edited or deleted."""

    list_display = ("starts_at", "account", "plan", "ends_at", "revoked_at", "granted_by", "reason")
    list_filter = ("plan", ("revoked_at", admin.EmptyFieldListFilter))
    search_fields = ("account__owner__email", "reason")
    list_select_related = ("account", "plan", "granted_by")
    ordering = ("-starts_at",)
    action_form = RevokeForm
    actions = ("revoke",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(ModelAdmin.has_add_permission(self, request))

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return bool(ModelAdmin.has_change_permission(self, request))

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = GrantForm(request.POST or None)
        if form.is_valid() and self._give(request, form):
            return redirect("admin:billing_plangrant_changelist")
        context = {**self.admin_site.each_context(request), "form": form, "title": _("Give a plan"), "opts": self.opts}
        return render(request, "billing/grant_form.html", context)

    def _give(self, request: HttpRequest, form: GrantForm) -> bool:
        facts, now = form.cleaned_data, clock.now()
        account = entitlements.account_for(facts["email"], now=now)
        span = Span(facts["starts_at"] or now, facts["ends_at"])
        staff = cast(User, request.user)
        try:
            grants.give(account, facts["plan"], span, reason=facts["reason"], by=staff, now=now)
        except NotGrantable as error:
            form.add_error(error.field, str(error.sentence))
            return False
        self.message_user(request, _("Given."))
        return True

    @admin.action(description=_("Take back"), permissions=["revoke"])
    def revoke(self, request: HttpRequest, found: QuerySet[PlanGrant]) -> None:
        reason, now, staff = request.POST.get("reason", ""), clock.now(), cast(User, request.user)
        try:
            taken = sum(grants.revoke(grant, reason=reason, by=staff, now=now) for grant in found)
        except NotGrantable as error:
            self.message_user(request, str(error.sentence), messages.ERROR)
            return
        self.message_user(request, ngettext("%(n)d taken back.", "%(n)d taken back.", taken) % {"n": taken})


@admin.register(CheckoutAttempt)
class CheckoutAttemptAdmin(MirrorAdmin):
    list_display = ("created_at", "account", "lookup_key", "state", "expires_at")
    list_filter = ("state",)
    exclude = ("session_id",)
    list_select_related = ("account",)
    ordering = ("-created_at",)


@admin.register(StripeEvent)
class StripeEventAdmin(MirrorAdmin):
    list_display = ("received_at", "type", "object_id", "customer", "state", "api_version")
    list_filter = ("state", "type")
    search_fields = ("=id", "=customer", "=object_id")
    exclude = ("payload",)  # names and addresses of people
    ordering = ("-received_at",)


@admin.register(StripeOutbox)
class StripeOutboxAdmin(MirrorAdmin):
    list_display = ("next_at", "kind", "account", "state", "attempts", "error")
    list_filter = ("state", "kind")
    search_fields = ("=key",)
    list_select_related = ("account",)
    ordering = ("-next_at",)


@admin.register(Price)
class PriceAdmin(MirrorAdmin):
    list_display = ("lookup_key", "stripe_price_id", "plan", "unit_amount_minor", "currency", "interval", "is_active")
    list_filter = ("is_active", "plan", "currency")
    list_select_related = ("plan",)


@admin.register(PlanVersion)
class PlanVersionAdmin(MirrorAdmin):
    list_display = ("plan", "version", "effective_from")
    list_filter = ("plan",)
    list_select_related = ("plan",)
    ordering = ("plan", "-version")


@admin.register(ModelPrice)
class ModelPriceAdmin(MirrorAdmin):
    list_display = ("model", "version", "effective_from", "rates")
    list_filter = ("model",)
    ordering = ("model", "-version")


@admin.register(DriftItem)
class DriftItemAdmin(MirrorAdmin):
    """How many of each kind, each one's two sides, and what to do: repaired by a worker, closed with a reason."""

    list_display = ("first_seen", "kind", "severity", "owner", "subject", "ours", "stripe", "fixed_at")
    list_filter = ("severity", "kind", ("fixed_at", admin.EmptyFieldListFilter))
    search_fields = ("=subject", "account__owner__email")
    list_select_related = ("account__owner",)
    ordering = ("-first_seen",)
    actions = ("repair",)
    change_list_template = "billing/admin/drift_list.html"

    @admin.display(description=_("Account"))
    def owner(self, item: DriftItem) -> str:
        return item.account.owner.email if item.account is not None else ""

    def has_repair_permission(self, request: HttpRequest) -> bool:
        return bool(ModelAdmin.has_change_permission(self, request))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponse:
        if request.method == "GET" and not request.GET:
            return redirect(f"{request.path}?fixed_at__isempty=1")
        found = {"open_kinds": differences.count_open(), "last_run": drift.find_last()}
        answer: HttpResponse = super().changelist_view(request, {**(extra_context or {}), **found})
        return answer

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        item = self.get_object(request, object_id)
        if item is None or not self.has_view_permission(request, item):
            raise PermissionDenied
        if request.method == "POST":
            return self._act(request, item)
        context = {
            **self.admin_site.each_context(request),
            "item": item,
            "advice": repairs.ADVICE.get(item.kind, ""),
            "may_repair": self.has_repair_permission(request),
            "title": item.kind,
            "opts": self.opts,
        }
        return render(request, "billing/admin/drift_item.html", context)

    def _act(self, request: HttpRequest, item: DriftItem) -> HttpResponse:
        if not self.has_repair_permission(request):
            raise PermissionDenied
        staff, now = cast(User, request.user), clock.now()
        try:
            if "close" in request.POST:
                repairs.close(item, reason=request.POST.get("reason", ""), by=staff, now=now)
                self.message_user(request, _("Closed."))
            else:
                repairs.ask(item, by=staff, now=now)
                self.message_user(request, _("A worker repairs it; reload in a moment."))
        except ReasonMissing as error:
            self.message_user(request, str(error.sentence), messages.ERROR)
        return redirect("admin:billing_driftitem_change", item.pk)

    @admin.action(description=_("Repair"), permissions=["repair"])
    def repair(self, request: HttpRequest, found: QuerySet[DriftItem]) -> None:
        staff, now = cast(User, request.user), clock.now()
        for item in (items := list(found.filter(fixed_at=None).select_related("account__owner"))):
            repairs.ask(item, by=staff, now=now)
        text = ngettext("A worker repairs %(n)d of them.", "A worker repairs %(n)d of them.", len(items))
        self.message_user(request, text % {"n": len(items)})


@admin.register(Reconciliation)
class ReconciliationAdmin(MirrorAdmin):
    list_display = ("started_at", "finished_at", "walk", "accounts", "differences")
    ordering = ("-started_at",)
