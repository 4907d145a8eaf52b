from typing import cast
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.models import User
from apps.chat import conversations
from apps.chat.api.bodies import (
    BoundedJSONParser,
    ConversationBody,
    ConversationPageBody,
    FullConversationBody,
    TitleBody,
)
from apps.core import clock


class ConversationsView(APIView):
    @extend_schema(
        operation_id="list_conversations",
        parameters=[OpenApiParameter("cursor", str), OpenApiParameter("q", str)],
        responses=ConversationPageBody,
    )
    def get(self, request: Request) -> Response:
        cursor, query = request.query_params.get("cursor"), request.query_params.get("q", "")
        page = conversations.list_page(cast(User, request.user), cursor=cursor, query=query[:200])
        return Response(ConversationPageBody(page).data)


class ConversationView(APIView):
    parser_classes = [BoundedJSONParser]

    @extend_schema(operation_id="get_conversation", responses=FullConversationBody)
    def get(self, request: Request, conversation_id: UUID) -> Response:
        conversation = conversations.get_conversation(cast(User, request.user), conversation_id)
        return Response(FullConversationBody(conversation).data)

    @extend_schema(operation_id="rename_conversation", request=TitleBody, responses=ConversationBody)
    def patch(self, request: Request, conversation_id: UUID) -> Response:
        body = TitleBody(data=request.data)
        body.is_valid(raise_exception=True)
        conversation = conversations.get_conversation(cast(User, request.user), conversation_id)
        conversations.rename(conversation, body.validated_data["title"])
        return Response(ConversationBody(conversation).data)

    @extend_schema(operation_id="delete_conversation", responses={204: None})
    def delete(self, request: Request, conversation_id: UUID) -> Response:
        conversation = conversations.get_conversation(cast(User, request.user), conversation_id)
        conversations.delete(conversation, now=clock.now())
        return Response(status=204)
