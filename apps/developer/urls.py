from django.urls import path

from apps.developer import api, views

app_name = "developer"
page_urls = [
    path("settings/keys/", views.show_keys, name="keys"),
    path("settings/keys/<uuid:key_id>/cap/", views.cap_key, name="cap-key"),
    path("settings/keys/<uuid:key_id>/revoke/", views.revoke_key, name="revoke-key"),
]
v1_urls = [
    path("models", api.list_models, name="models"),
    path("models/<str:key>", api.show_model, name="model"),
    path("chat/completions", api.create_completion, name="completions"),
    path("<path:rest>", api.refuse_address, name="unknown"),
]
