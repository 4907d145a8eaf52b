"""Jobs of accounts."""

from celery import shared_task
from django.contrib.sessions.backends.db import SessionStore


@shared_task(name="accounts.clear_sessions")
def clear_sessions() -> None:
    """Drop the sessions that ended; nothing else does.

    Delivery  every day, from beat. Repeat: finds nothing more. Crash: one statement, done or not done.
    """
    SessionStore.clear_expired()
