from django.apps import AppConfig


class LocalDevConfig(AppConfig):
    name = "apps.localdev"
    label = "localdev"
