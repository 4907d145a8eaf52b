from typing import cast

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from apps.accounts.models import User
from apps.core import clock
from apps.privacy import erasures
from apps.privacy.models import DataRequest


@admin.register(DataRequest)
class DataRequestAdmin(ModelAdmin):  # type: ignore[misc]  # unfold ships no types
    """Staff see how far a request is; the archive is for its owner alone."""

    list_display = ("asked_at", "kind", "state", "user", "done_at", "attempts")
    list_filter = ("kind", "state")
    search_fields = ("=id", "=user__id", "user__email")
    list_select_related = ("user",)
    ordering = ("-asked_at",)
    exclude = ("archive",)
    actions = ("erase_at_once",)

    @admin.action(description=_("Erase without waiting a week"), permissions=["erase"])
    def erase_at_once(self, request: HttpRequest, queryset: QuerySet[DataRequest]) -> None:
        """For who wrote that they do not want the week; only requests that wait for its end are meant."""
        waiting = queryset.filter(state=DataRequest.State.SCHEDULED, user__isnull=False).select_related("user")
        for departure in waiting:
            erasures.ask_erasure(cast(User, departure.user), now=clock.now())
        self.message_user(request, _("%(count)d erasures are under way.") % {"count": len(waiting)})

    def has_erase_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("privacy.erase_datarequest"))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: DataRequest | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: DataRequest | None = None) -> bool:
        return False
