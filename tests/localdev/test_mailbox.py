import pytest
from django.core import mail

from apps.localdev import mailbox


@pytest.fixture
def folder(settings, tmp_path):
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = tmp_path / "mail"
    return settings.EMAIL_FILE_PATH


def send(subject, text="Hello", to="ana@example.org"):
    mail.send_mail(subject, text, "Causerie <hello@causerie.local>", [to])


def test_an_empty_or_missing_folder_has_no_mail(tmp_path):
    assert mailbox.letters(tmp_path / "gone") == []


def test_reads_what_django_wrote(folder):
    send("Votre code : 4ZK9QF", "Voilà :\n\n4ZK9QF\n")
    (letter,) = mailbox.letters(folder)
    assert (letter.subject, letter.to, letter.text) == ("Votre code : 4ZK9QF", "ana@example.org", "Voilà :\n\n4ZK9QF")
    assert letter.sender == "Causerie <hello@causerie.local>"
    assert mailbox.find_letter(folder, letter.key) == letter


def test_several_mails_of_one_connection_are_several_letters(folder):
    connection = mail.get_connection()
    messages = [mail.EmailMessage(f"No {n}", "text", to=["ana@example.org"], connection=connection) for n in (1, 2)]
    connection.send_messages(messages)
    assert sorted(letter.subject for letter in mailbox.letters(folder)) == ["No 1", "No 2"]


def test_dashes_inside_a_mail_do_not_break_it(folder):
    send("Dashes", "above\n" + "-" * 78 + "\nbelow")
    (letter,) = mailbox.letters(folder)
    assert letter.text.splitlines() == ["above", "-" * 78, "below"]


def test_an_unreadable_file_hides_no_other_mail(folder):
    send("Readable")
    (folder / "broken.log").write_bytes(b"\xff\xfe not a mail")
    (folder / "loop.log").symlink_to("loop.log")
    assert [letter.subject for letter in mailbox.letters(folder)] == ["Readable"]


def test_a_key_cannot_leave_the_folder(folder):
    send("Here")
    assert mailbox.find_letter(folder, "../secrets-0") is None


def test_a_mail_with_a_page_has_both(folder):
    message = mail.EmailMultiAlternatives("Both", "As text", to=["ana@example.org"])
    message.attach_alternative("<p>As it looks</p>", "text/html")
    message.send()
    (letter,) = mailbox.letters(folder)
    assert (letter.text, letter.html) == ("As text", "<p>As it looks</p>")
    send("Plain")
    assert {letter.subject: letter.html for letter in mailbox.letters(folder)}["Plain"] == ""
