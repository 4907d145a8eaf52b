"""The ASGI application that uvicorn serves."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings.local")
django.setup(set_prefix=False)

from project.handler import OneThreadHandler  # noqa: E402 middleware reads the settings

application = OneThreadHandler()
