from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, F, Field, Model, QuerySet
from django.forms import ChoiceField
from django.http import HttpRequest, HttpResponse
from unfold.admin import ModelAdmin

from apps.accounts.gates import staff_of
from apps.chat import content_reports
from apps.chat.forms import VerdictForm
from apps.chat.models import ContentReport, Conversation
from apps.core import clock
from apps.core.errors import CauserieError


class KeptAdmin(ModelAdmin):  # type: ignore[misc]  # unfold ships no types
    """Rows that staff neither make nor delete."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


# Nobody reads conversations here: no title, no text, only that there is one.
@admin.register(Conversation)
class ConversationAdmin(KeptAdmin):
    list_display = ("id", "owner", "message_count", "created_at", "updated_at")
    fields = ("id", "owner", "message_count", "created_at", "updated_at")
    readonly_fields = fields
    search_fields = ("id", "owner__email")
    ordering = ("-updated_at",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Conversation]:
        return Conversation.objects.defer("title").annotate(messages_made=Count("messages"))

    @admin.display(description="messages")
    def message_count(self, conversation: Conversation) -> int:
        return int(getattr(conversation, "messages_made"))  # noqa: B009 annotated above, unknown to the model

    def has_change_permission(self, request: HttpRequest, obj: Conversation | None = None) -> bool:
        return False


# The one place where staff read an answer: its reader gave it to them. Each look and each verdict is written down.
@admin.register(ContentReport)
class ContentReportAdmin(KeptAdmin):
    list_display = ("reported_at", "reason", "model", "state", "closed_at")
    list_display_links = ("reported_at", "reason")
    list_filter = ("state", "reason")
    form = VerdictForm
    facts = ("reason", "note", "text", "model", "reporter", "reported_at", "changed_at", "closed_at", "closed_by")
    ordering = (F("closed_at").desc(nulls_first=True), "-reported_at")
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[ContentReport]:
        return ContentReport.objects.select_related("reporter", "closed_by")

    def get_fields(self, request: HttpRequest, obj: ContentReport | None = None) -> Sequence[str]:
        return (*self.facts, "state", "seen") if _is_open(obj) else (*self.facts, "state")

    def get_readonly_fields(self, request: HttpRequest, obj: ContentReport | None = None) -> Sequence[str]:
        return self.facts if _is_open(obj) else (*self.facts, "state")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        found: HttpResponse = super().change_view(request, object_id, form_url, extra_context)
        report = self.get_object(request, object_id)
        if report is not None and found.status_code == HTTPStatus.OK:  # the page, whatever asked for it
            content_reports.note_read(report, by=staff_of(request), now=clock.now())
        return found

    def formfield_for_choice_field(
        self,
        db_field: "Field[Any, Any]",
        request: HttpRequest,
        **kwargs: Any,  # noqa: ANN401 Django's own
    ) -> ChoiceField | None:
        if db_field.name == "state":
            verdicts = (ContentReport.State.UPHELD, ContentReport.State.DISMISSED)
            kwargs["choices"] = [("", "–"), *((one.value, one.label) for one in verdicts)]
        found: ChoiceField | None = super().formfield_for_choice_field(db_field, request, **kwargs)
        return found

    def save_model(self, request: HttpRequest, obj: ContentReport, form: VerdictForm, *_change: object) -> None:
        seen = form.cleaned_data["seen"]
        try:
            content_reports.judge(obj, obj.state, seen=seen, by=staff_of(request), now=clock.now())
        except CauserieError as error:
            self.message_user(request, str(error.sentence), messages.ERROR)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: ContentReport | None = None) -> bool:
        return request.user.has_perm("chat.judge_contentreport")

    def has_change_permission(self, request: HttpRequest, obj: ContentReport | None = None) -> bool:
        return self.has_view_permission(request)


def _is_open(report: ContentReport | None) -> bool:
    return report is not None and report.state == ContentReport.State.OPEN
