"""Mails in tests without a worker: what is due leaves when a test looks."""

from collections.abc import Sequence

from django.core import mail

from apps.accounts import letters
from apps.core import clock


class Post(Sequence):
    """The mails that left, the oldest first."""

    def __init__(self, settings):
        settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
        mail.outbox = []

    def __getitem__(self, place):
        letters.send_due(clock=clock.now)
        return mail.outbox[place]

    def __len__(self):
        letters.send_due(clock=clock.now)
        return len(mail.outbox)

    def __eq__(self, other):
        return list(self) == other

    __hash__ = None
