from typing import Any, ClassVar, cast

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm

from apps.accounts import audit
from apps.accounts.models import AuditEntry, Consent, User
from apps.core import clock

# Secrets of ways in come from the settings, and those of second factors are nobody's to read.
for table in (Group, SocialApp, SocialToken, SocialAccount, Authenticator):
    admin.site.unregister(table)


class ReadOnly(ModelAdmin):  # type: ignore[misc]  # unfold ships no types
    """Rows that are added by rules and changed by nobody."""

    def has_add_permission(self, request: HttpRequest, *_: object) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin):  # type: ignore[misc]  # unfold ships no types
    pass


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):  # type: ignore[misc, type-arg]  # unfold ships no types; no generic at run time
    change_password_form = AdminPasswordChangeForm
    list_display = ("email", "name", "date_joined", "is_active", "role", "is_internal")
    list_filter = ("is_active", "role", "is_internal", "language")
    search_fields = ("email", "name", "id")
    ordering = ("-date_joined",)
    readonly_fields = ("id", "email", "role", "is_active", "date_joined", "last_login")  # these change with a reason
    filter_horizontal = ()
    # The password's hash is shown nowhere, not even shortened.
    fieldsets: ClassVar[Any] = (
        (None, {"fields": ("id", "email", "name")}),
        (_("Preferences"), {"fields": ("language", "theme", "time_zone", "country")}),
        (_("Standing"), {"fields": ("is_active", "is_internal", "role")}),
        (_("Dates"), {"fields": ("date_joined", "last_login")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).filter(is_guest=False)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # people join by the form, with their consent; staff are made by `createsuperuser`

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False  # leaving goes through privacy, which also cancels at Stripe

    def save_model(self, request: HttpRequest, obj: User, form: "ModelForm[User]", change: bool) -> None:  # noqa: FBT001
        columns = {field.name for field in User._meta.fields}
        obj.save(update_fields=columns.intersection(form.changed_data))
        details = {"fields": form.changed_data}
        audit.record(cast(User, request.user), "account.change", subject=obj, details=details, now=clock.now())


@admin.register(Consent)
class ConsentAdmin(ReadOnly):
    list_display = ("user", "kind", "version", "is_given", "country", "answered_at")
    list_filter = ("kind", "is_given", "version")
    search_fields = ("user__email",)
    list_select_related = ("user",)


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnly):
    list_display = ("happened_at", "actor", "action", "subject", "reason")
    list_filter = ("action",)
    search_fields = ("actor__email", "subject__email", "reason")
    list_select_related = ("actor", "subject")
    date_hierarchy = "happened_at"
