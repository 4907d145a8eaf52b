"""Settings, addresses and processes: mounts every app's edges; no app imports it."""

from project.celery import app as celery_app

__all__ = ["celery_app"]
