from django.urls import path

from apps.chat import views
from apps.chat.api.conversations import ConversationsView, ConversationView
from apps.chat.api.messages import MessagesView, ModelsView, ReportView, RetryView, StopView

app_name = "chat"

page_urls = [
    path("chat/", views.room, name="room"),
    path("chat/<uuid:conversation_id>/", views.room, name="conversation"),
    path("try/", views.try_it, name="try"),
    path("settings/personalization/", views.edit_personalization, name="personalization"),
]
api_urls = [
    path("conversations", ConversationsView.as_view(), name="conversations"),
    path("conversations/<uuid:conversation_id>", ConversationView.as_view(), name="conversation"),
    path("messages", MessagesView.as_view(), name="messages"),
    path("messages/<uuid:message_id>/retry", RetryView.as_view(), name="retry"),
    path("messages/<uuid:message_id>/report", ReportView.as_view(), name="report"),
    path("models", ModelsView.as_view(), name="models"),
    path("runs/<uuid:run_id>/events", views.follow_run, name="events"),
    path("runs/<uuid:run_id>/stop", StopView.as_view(), name="stop"),
]
