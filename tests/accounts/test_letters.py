"""apps/accounts/letters.py: a mail is a row first, leaves once, and is forgotten."""

from datetime import datetime, timedelta
from threading import Barrier, Thread

import pytest
from django.core import mail
from django.db import connection

from apps.accounts import letters
from apps.accounts.models import Letter
from tests import build

pytestmark = pytest.mark.django_db
NOW = build.NOW
TEXT = "This is your code:\n\n    BCDFGH\n\nIt is good for a few minutes.\n"


@pytest.fixture(autouse=True)
def post(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    mail.outbox = []
    return settings


def want(**changes):
    facts = {"kind": "code", "to": "ana@example.org", "subject": "Your code: BCDFGH", "text": TEXT, "language": "en"}
    return build.act(letters.want, **{**facts, **changes}, now=NOW)


def send_due(at: datetime = NOW):
    return letters.send_due(clock=lambda: at)


def silence(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9


def test_it_leaves_as_text_and_as_a_page():
    letter = want()
    assert letters.send(letter.pk, clock=lambda: NOW) is True
    (left,) = mail.outbox
    assert (left.to, left.subject, left.body) == (["ana@example.org"], "Your code: BCDFGH", TEXT)
    ((page, kind),) = left.alternatives
    assert kind == "text/html"
    assert '<p class="code">BCDFGH</p>' in page


def test_it_leaves_once():
    letter = want()
    assert [letters.send(letter.pk, clock=lambda: NOW) for _ in range(2)] == [True, False]
    assert send_due(NOW + timedelta(minutes=5)) == 0
    assert len(mail.outbox) == 1


def test_what_it_said_is_forgotten_when_it_left():
    want()
    send_due()
    assert list(Letter.objects.values_list("subject", "text", "sent_at")) == [("", "", NOW)]


def test_a_mail_server_that_is_away_gets_it_a_minute_later(post):
    want()
    silence(post)
    assert send_due() == 0
    post.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert send_due(NOW + timedelta(seconds=59)) == 0
    assert send_due(NOW + timedelta(seconds=60)) == 1
    assert Letter.objects.get().attempts == 2


def test_what_nobody_waits_for_any_more_is_given_up_and_forgotten(post):
    want()
    late = NOW + timedelta(hours=1, seconds=1)
    assert send_due(late) == 0
    assert mail.outbox == []
    assert list(Letter.objects.values_list("subject", "text", "given_up_at")) == [("", "", late)]


def test_that_it_was_sent_is_forgotten_after_a_while():
    want()
    assert letters.drop_old(before=NOW) == 0
    assert letters.drop_old(before=NOW + timedelta(seconds=1)) == 1


@pytest.mark.django_db(transaction=True)
def test_two_workers_send_it_once():
    letter, start = want(), Barrier(2)

    def work():
        start.wait()
        letters.send(letter.pk, clock=lambda: NOW)
        connection.close()

    workers = [Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(mail.outbox) == 1


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("A\n\nhttps://causerie.example/x?a=1&b=2\n", 'href="https://causerie.example/x?a=1&amp;b=2"'),
        ("<script>alert(1)</script>\n", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("One\ntwo\n", "One<br>two"),
    ],
)
def test_a_page_says_the_same_words_and_runs_nothing(text, shown):
    want(text=text)
    send_due()
    assert shown in mail.outbox[0].alternatives[0].content


def test_a_page_leaves_out_the_signature_that_stands_below_it():
    want(text="Words.\n\n--\nCauserie · https://causerie.example\n", language="fr")
    send_due()
    page = mail.outbox[0].alternatives[0].content
    assert '<html lang="fr">' in page
    assert "--" not in page.partition("<main>")[2].partition("</main>")[0]
