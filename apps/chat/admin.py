from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from apps.chat.models import Conversation


# Nobody reads conversations here: no title, no text, only that there is one.
@admin.register(Conversation)
class ConversationAdmin(ModelAdmin):  # type: ignore[misc]  # unfold ships no types
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

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Conversation | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Conversation | None = None) -> bool:
        return False
