from django.urls import path

from apps.accounts import views

app_name = "accounts"
page_urls = [
    path("settings/profile/", views.edit_profile, name="profile"),
    path("settings/profile/training/", views.answer_training, name="answer-training"),
    path("terms/", views.show_terms, name="terms"),
    path("privacy/", views.show_privacy_notice, name="privacy-notice"),
]
