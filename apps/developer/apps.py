from django.apps import AppConfig


class DeveloperConfig(AppConfig):
    name = "apps.developer"
    label = "developer"
