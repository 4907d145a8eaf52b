from django.apps import AppConfig


class StripeSandboxConfig(AppConfig):
    name = "apps.stripe_sandbox"
    label = "stripe_sandbox"
    default_auto_field = "django.db.models.BigAutoField"
