"""What the chat's JSON addresses accept and answer; the schema of the front-end is made from these."""

from collections.abc import Mapping
from typing import IO, Any

import orjson
from django.urls import reverse
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

from apps.chat.models import ContentReport, Conversation, Message
from apps.core.errors import TooLarge
from apps.inference import errors
from apps.inference.models import Run

LARGEST_BODY = 256 * 1024


class BoundedJSONParser(JSONParser):
    def parse(  # Any: DRF's signature
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        body = stream.read(LARGEST_BODY + 1)
        if len(body) > LARGEST_BODY:
            raise TooLarge(_("This is more than we accept in one request."))
        try:
            return orjson.loads(body)  # type: ignore[no-any-return]  # a serializer says whether it is an object
        except orjson.JSONDecodeError:
            raise ParseError(_("The body is not JSON.")) from None


class RunErrorBody(serializers.Serializer[dict[str, object]]):
    code = serializers.CharField()
    message = serializers.CharField()
    retry = serializers.BooleanField()
    limit = serializers.IntegerField(allow_null=True)
    used = serializers.IntegerField(allow_null=True)
    resets_at = serializers.DateTimeField(allow_null=True)
    lifted_by = serializers.CharField(allow_null=True)
    meter = serializers.CharField(allow_null=True)


class RunUsageBody(serializers.Serializer[dict[str, object]]):
    input_tokens = serializers.IntegerField()
    output_tokens = serializers.IntegerField()
    provenance = serializers.ChoiceField(["reported", "estimated", "none"])


class FallbackBody(serializers.Serializer[dict[str, object]]):
    model = serializers.CharField()
    requested_model = serializers.CharField()
    resets_at = serializers.DateTimeField(allow_null=True)


class RunBody(serializers.Serializer[Run]):
    id = serializers.UUIDField()
    state = serializers.ChoiceField(Run.State.choices)
    text = serializers.CharField()
    error = serializers.SerializerMethodField()
    events_url = serializers.SerializerMethodField()
    finish_reason = serializers.CharField()
    usage = serializers.SerializerMethodField()
    fallback = serializers.SerializerMethodField()

    @extend_schema_field(RunErrorBody(allow_null=True))
    def get_error(self, run: Run) -> dict[str, object] | None:
        if run.state != Run.State.FAILED:
            return None
        facts = errors.refusal_of(run.error_code, run.refusal)
        return {
            "code": run.error_code,
            "message": errors.explain(run.error_code, run.refusal),
            "retry": run.error_code in errors.RETRY_HELPS,
            **{name: facts.get(name) for name in ("limit", "used", "resets_at", "lifted_by", "meter")},
        }

    def get_events_url(self, run: Run) -> str:
        return reverse("chat-api:events", args=[run.pk])

    @extend_schema_field(RunUsageBody(allow_null=True))
    def get_usage(self, run: Run) -> dict[str, object] | None:
        if not run.is_over:
            return None
        return {
            "input_tokens": run.input_tokens,
            "output_tokens": run.output_tokens,
            "provenance": run.provenance or "none",
        }

    @extend_schema_field(FallbackBody(allow_null=True))
    def get_fallback(self, run: Run) -> dict[str, object] | None:
        if not run.requested_model:
            return None
        resets_at = (run.refusal or {}).get("resets_at")
        return {"model": run.model, "requested_model": run.requested_model, "resets_at": resets_at}


class MessageBody(serializers.Serializer[Message]):
    id = serializers.UUIDField()
    parent_id = serializers.UUIDField(allow_null=True)
    role = serializers.ChoiceField(Message.Role.choices)
    text = serializers.CharField()
    model = serializers.CharField()
    created_at = serializers.DateTimeField()
    run = RunBody(allow_null=True)


class ConversationBody(serializers.Serializer[Conversation]):
    id = serializers.UUIDField()
    title = serializers.CharField()
    updated_at = serializers.DateTimeField()


class FullConversationBody(ConversationBody):
    leaf_id = serializers.UUIDField(allow_null=True)
    messages = serializers.SerializerMethodField()

    @extend_schema_field(MessageBody(many=True))
    def get_messages(self, conversation: Conversation) -> object:
        rows = conversation.messages.select_related("run").order_by("created_at", "id")
        return MessageBody(list(rows), many=True).data  # type: ignore[arg-type]  # many takes many


class ConversationPageBody(serializers.Serializer[object]):
    conversations = ConversationBody(many=True)
    next_cursor = serializers.CharField(allow_null=True)


class SentBody(serializers.Serializer[object]):
    conversation = ConversationBody()
    message = MessageBody()
    reply = MessageBody()


class ReplyBody(serializers.Serializer[object]):
    reply = MessageBody()


class DraftBody(serializers.Serializer[object]):
    text = serializers.CharField(trim_whitespace=False, allow_blank=True)
    conversation_id = serializers.UUIDField(allow_null=True, default=None)
    parent_id = serializers.UUIDField(allow_null=True, default=None)
    model = serializers.CharField(max_length=64, allow_null=True, default=None)


class ReportBody(serializers.Serializer[object]):
    reason = serializers.ChoiceField(ContentReport.Reason.choices)
    note = serializers.CharField(allow_blank=True, default="", max_length=ContentReport.LONGEST_NOTE)


class TitleBody(serializers.Serializer[object]):
    title = serializers.CharField(allow_blank=True)


class ModelBody(serializers.Serializer[object]):
    key = serializers.CharField()
    name = serializers.CharField()
    is_included = serializers.BooleanField()
    is_default = serializers.BooleanField()
    lifted_by = serializers.CharField(allow_null=True)


class ModelsBody(serializers.Serializer[object]):
    models = ModelBody(many=True)
