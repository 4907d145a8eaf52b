"""Mails about an account: each is first a row, then a worker sends it until it left; what it said is forgotten then."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.template.loader import render_to_string
from django.utils.translation import override

from apps.accounts import mail
from apps.accounts.models import Letter
from apps.core import guards, jobs

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=60)  # for the one that sends; then another may try
USEFUL_FOR = timedelta(hours=1)  # codes and links are good for minutes
LAST_LETTERS = ("account_erased",)  # to who has left: afterwards the address is forgotten, too
BATCH = 100


def want(  # noqa: PLR0913 one mail, as it leaves
    kind: str, to: str, subject: str, text: str, *, language: str, useful_for: timedelta = USEFUL_FOR, now: datetime
) -> Letter:
    """Want a mail to leave.

    kind        what it is about, for staff: "email_confirmation".
    useful_for  how long somebody waits for it; then it is given up.
    Effect  a step; a worker is nudged after the commit, and a sweeper finds what it missed.
    """
    guards.inside_transaction()
    letter: Letter = Letter.objects.create(
        kind=kind,
        to=to,
        subject=subject,
        text=text,
        language=language,
        wanted_at=now,
        next_at=now,
        useless_at=now + useful_for,
    )
    jobs.enqueue("accounts.send_letter", str(letter.pk))
    return letter


def write(
    template: str,
    to: str,
    facts: Mapping[str, object],
    *,
    language: str,
    useful_for: timedelta = USEFUL_FOR,
    now: datetime,
) -> Letter:
    """Write a mail from templates in the language of who reads it, and want it to leave.

    template  where `…_subject.txt` and `…_message.txt` lie: "accounts/mail/email_changed".
    Effect    a step.
    """
    language = language or settings.LANGUAGE_CODE
    words = {**facts, "site_name": settings.SITE_NAME, "site_url": settings.SITE_URL}
    with override(language):
        subject = " ".join(render_to_string(f"{template}_subject.txt", words).split())
        text = render_to_string(f"{template}_message.txt", words)
    kind = template.rpartition("/")[2]
    return want(kind, to, subject, text, language=language, useful_for=useful_for, now=now)


def send(letter_id: UUID, *, clock: Callable[[], datetime]) -> bool:
    """Send one letter that is due; say whether it left.

    Repeat  what left is not sent again; what another worker has in hand is left alone.
    Crash   between leaving and being marked it leaves once more: better twice than never.
    """
    guards.outside_transaction()
    now = clock()
    due = Letter.objects.due(at=now).filter(pk=letter_id)
    if not due.update(attempts=F("attempts") + 1, next_at=now + LEASE):
        return False
    letter = Letter.objects.get(pk=letter_id)
    try:
        mail.send(letter.to, letter.subject, letter.text, mail.page_of(letter.subject, letter.text, letter.language))
    except OSError as error:
        log.warning("letter.not_sent", kind=letter.kind, attempts=letter.attempts, reason=type(error).__name__)
        return False
    _forget(letter_id, sent_at=clock())
    return True


def send_due(*, clock: Callable[[], datetime]) -> int:
    """Send what a lost nudge or a mail server left behind, and give up what nobody waits for; say how many left."""
    now = clock()
    Letter.objects.waiting().filter(useless_at__lt=now).update(given_up_at=now, subject="", text="")
    due = Letter.objects.due(at=now).order_by("next_at").values_list("pk", flat=True)[:BATCH]
    return sum(send(letter_id, clock=clock) for letter_id in due)


def drop_old(*, before: datetime) -> int:
    """Forget that letters were sent to whom; say how many."""
    return int(Letter.objects.filter(wanted_at__lt=before).delete()[0])


def _forget(letter_id: UUID, *, sent_at: datetime) -> None:
    """It left: codes and links are no more to be found here."""
    with transaction.atomic(durable=True):
        Letter.objects.filter(pk=letter_id).update(sent_at=sent_at, subject="", text="")
        Letter.objects.filter(pk=letter_id, kind__in=LAST_LETTERS).update(to="")
