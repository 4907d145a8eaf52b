from django.urls import path

from apps.accounts import views

app_name = "accounts"
page_urls = [
    path("settings/profile/", views.edit_profile, name="profile"),
    path("settings/profile/training/", views.answer_training, name="answer-training"),
    path("settings/notifications/", views.edit_notifications, name="notifications"),
    path("mails/stop/<str:token>/", views.stop_mail, name="stop-mail"),
    path("terms/accept/", views.accept_terms, name="accept-terms"),
    path("settings/email/", views.change_email, name="email"),
    path("settings/email/codes/", views.confirm_email, name="confirm-email"),
    path("settings/email/drop/", views.drop_email_change, name="drop-email-change"),
    path("settings/prove/", views.prove, name="prove"),
    path("settings/prove/send/", views.send_proof, name="send-proof"),
    path("settings/security/", views.show_security, name="security"),
    path("settings/security/sessions/end-others/", views.end_other_sessions, name="end-other-sessions"),
    path("settings/security/sessions/<int:pk>/end/", views.end_session, name="end-session"),
    path("password-strength/", views.judge_password, name="judge-password"),
    path("terms/", views.show_terms, name="terms"),
    path("privacy/", views.show_privacy_notice, name="privacy-notice"),
]
