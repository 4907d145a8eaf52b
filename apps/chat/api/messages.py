from typing import cast
from uuid import UUID

from allauth.account.adapter import get_adapter
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.models import User
from apps.chat import choices, content_reports, conversations, replies, trying
from apps.chat.api.bodies import BoundedJSONParser, DraftBody, ModelsBody, ReplyBody, ReportBody, SentBody
from apps.core import clock
from apps.inference import runs


class MessagesView(APIView):
    parser_classes = [BoundedJSONParser]

    @extend_schema(operation_id="send_message", request=DraftBody, responses={201: SentBody})
    def post(self, request: Request) -> Response:
        body = DraftBody(data=request.data)
        body.is_valid(raise_exception=True)
        owner, draft, now = cast(User, request.user), replies.Draft(**body.validated_data), clock.now()
        trying.count(owner, get_adapter().get_client_ip(request), draft.model, now=now)
        sent = replies.send(owner, draft, now=now)
        return Response(SentBody(sent).data, status=201)


class RetryView(APIView):
    parser_classes = [BoundedJSONParser]

    @extend_schema(operation_id="retry_message", request=None, responses={201: ReplyBody})
    def post(self, request: Request, message_id: UUID) -> Response:
        owner, now = cast(User, request.user), clock.now()
        trying.count(owner, get_adapter().get_client_ip(request), None, now=now)
        reply = replies.retry(owner, message_id, now=now)
        return Response(ReplyBody({"reply": reply}).data, status=201)


class ReportView(APIView):
    parser_classes = [BoundedJSONParser]

    @extend_schema(operation_id="report_message", request=ReportBody, responses={204: None})
    def post(self, request: Request, message_id: UUID) -> Response:
        body = ReportBody(data=request.data)
        body.is_valid(raise_exception=True)
        content_reports.report(cast(User, request.user), message_id, **body.validated_data, now=clock.now())
        return Response(status=204)


class StopView(APIView):
    parser_classes = [BoundedJSONParser]

    @extend_schema(operation_id="stop_run", request=None, responses={202: None})
    def post(self, request: Request, run_id: UUID) -> Response:
        runs.request_stop(conversations.get_run(cast(User, request.user), run_id), now=clock.now())
        return Response(status=202)


class ModelsView(APIView):
    @extend_schema(operation_id="list_models", responses=ModelsBody)
    def get(self, request: Request) -> Response:
        models = choices.list_choices(cast(User, request.user), now=clock.now())
        return Response(ModelsBody({"models": models}).data)
