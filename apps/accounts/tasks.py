"""Jobs of accounts."""

from datetime import timedelta
from uuid import UUID

from celery import shared_task
from django.contrib.sessions.backends.db import SessionStore

from apps.accounts import devices, email_changes, letters
from apps.core import clock

LETTERS_KEPT = timedelta(days=30)  # that one left, not what it said


@shared_task(name="accounts.send_letter")
def send_letter(letter_id: str) -> None:
    """Send a mail.

    Delivery  on commit, and by the sweeper. Repeat: one worker at a time, and nothing once it left. Crash: again.
    """
    letters.send(UUID(letter_id), clock=clock.now)


@shared_task(name="accounts.send_letters")
def send_letters() -> None:
    """Send the mails whose nudge was lost, or that the mail server did not take.

    Delivery  every minute, from beat. Repeat: finds nothing more. Crash: each letter stands on its own.
    """
    letters.send_due(clock=clock.now)
    letters.drop_old(before=clock.now() - LETTERS_KEPT)


@shared_task(name="accounts.clear_sessions")
def clear_sessions() -> None:
    """Drop sessions that ended, browsers nobody came back with, and changes of address nobody confirmed.

    Delivery  every day, from beat. Repeat: finds nothing more. Crash: one statement, done or not done.
    """
    SessionStore.clear_expired()
    devices.forget_old(now=clock.now())
    email_changes.drop_old(now=clock.now())
