"""Answers that are reported: by their readers alone, and judged by staff, each look written down."""

from datetime import timedelta

import pytest
from django.db import transaction

from apps.accounts.models import AuditEntry
from apps.chat import content_reports, conversations, replies
from apps.chat.models import ContentReport
from apps.chat.personal_data import Conversations
from apps.chat.replies import Draft
from apps.core.errors import Conflict, Invalid
from tests import build, cast

pytestmark = pytest.mark.django_db(transaction=True)
NOW = build.NOW
ADMIN = "/admin/chat/contentreport/"
QUESTION = "a very private matter"


@pytest.fixture
def sent(ana, answer):
    sent = replies.send(ana, Draft(QUESTION), now=NOW)
    answer(sent.reply.run)
    sent.reply.refresh_from_db()
    return sent


@pytest.fixture
def dana():
    return cast.dana()


@pytest.fixture
def reported(ana, sent):
    return content_reports.report(ana, sent.reply.pk, reason="wrong", note=" The sky is blue. ", now=NOW)


def judge(report, verdict, *, by, seen=None):
    with transaction.atomic():
        content_reports.judge(report, verdict, seen=seen or report.changed_at, by=by, now=NOW)


def verdict_on(report, verdict):
    """What the page sends."""
    return {"state": verdict, "seen": report.changed_at.isoformat()}


def post(client, message, **body):
    return client.post(f"/api/v1/messages/{message.pk}/report", body, content_type="application/json")


def test_a_report_keeps_the_answer_and_nothing_else_of_the_conversation(at_anas, ana, sent):
    assert post(at_anas, sent.reply, reason="hateful", note="Rude.").status_code == 204
    report = ContentReport.objects.get()
    assert (report.reporter, report.message, report.text) == (ana, sent.reply, sent.reply.text)
    assert (report.reason, report.note, report.state) == ("hateful", "Rude.", "open")
    assert QUESTION not in report.text


def test_who_reports_twice_changes_the_first_report_and_opens_it_again(ana, dana, sent, reported):
    judge(reported, "dismissed", by=dana)
    content_reports.report(ana, sent.reply.pk, reason="other", now=NOW)
    report = ContentReport.objects.get()
    assert (report.pk, report.reason, report.note, report.state) == (reported.pk, "other", "", "open")
    assert (report.closed_at, report.closed_by, report.reported_at) == (None, None, NOW)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"reason": "boring"}, 400),
        ({"note": "no reason"}, 400),
        ({"reason": "other", "note": "x" * 1001}, 400),
        ({"reason": "other", "note": "x" * 1000}, 204),
    ],
)
def test_what_cannot_be_is_refused(at_anas, sent, body, status):
    assert post(at_anas, sent.reply, **body).status_code == status
    assert ContentReport.objects.count() == int(status == 204)


def test_a_question_cannot_be_reported_nor_an_answer_that_is_not_there(ana, sent):
    unanswered = replies.send(ana, Draft("And now?"), now=NOW).reply
    for message in (sent.message, unanswered):
        with pytest.raises(Invalid):
            content_reports.report(ana, message.pk, reason="wrong", now=NOW)


def test_mallory_and_nobody_report_nothing_of_anas(client, mallory, sent):
    assert post(client, sent.reply, reason="wrong").status_code in (401, 403)
    client.force_login(mallory)
    assert post(client, sent.reply, reason="wrong").status_code == 404
    assert not ContentReport.objects.exists()


def test_staff_read_the_answer_and_each_look_is_written_down(client, ana, reported):
    client.force_login(build.person(email="helper@example.org", is_staff=True, role="support"))
    listed = client.get(ADMIN).content.decode()
    assert "Wrong or misleading" in listed
    assert reported.text not in listed
    assert not AuditEntry.objects.filter(action="content_report.read").exists()
    page = client.get(f"{ADMIN}{reported.pk}/change/").content.decode()
    assert reported.text in page
    assert "The sky is blue." in page
    assert QUESTION not in page
    assert client.get("/admin/chat/conversation/").status_code == 403  # no more than what was reported
    entry = AuditEntry.objects.get(action="content_report.read")
    assert (entry.subject, entry.details) == (ana, {"report": str(reported.pk)})


def test_a_verdict_closes_a_report_once(client, dana, reported):
    client.force_login(dana)
    address = f"{ADMIN}{reported.pk}/change/"
    assert client.post(address, verdict_on(reported, "upheld")).status_code == 302
    reported.refresh_from_db()
    assert (reported.state, reported.closed_by) == ("upheld", dana)
    entry = AuditEntry.objects.get(action="content_report.uphold")
    assert entry.details == {"report": str(reported.pk)}
    client.post(address, verdict_on(reported, "dismissed"))
    reported.refresh_from_db()
    assert reported.state == "upheld"
    with pytest.raises(Conflict):
        judge(reported, "dismissed", by=dana)


@pytest.mark.parametrize("verdict", ["", "open", "burned"])
def test_what_is_no_verdict_leaves_it_open_and_the_page_is_a_look(client, dana, reported, verdict):
    client.force_login(dana)
    page = client.post(f"{ADMIN}{reported.pk}/change/", verdict_on(reported, verdict))
    assert (page.status_code, reported.text in page.content.decode()) == (200, True)
    assert AuditEntry.objects.filter(action="content_report.read").count() == 1
    reported.refresh_from_db()
    assert reported.state == "open"
    with pytest.raises(Invalid):
        judge(reported, verdict, by=dana)


def test_nobody_judges_what_they_did_not_see(client, ana, dana, sent, reported):
    client.force_login(dana)
    seen = verdict_on(reported, "dismissed")
    later = NOW + timedelta(minutes=1)
    content_reports.report(ana, sent.reply.pk, reason="dangerous", now=later)
    page = client.post(f"{ADMIN}{reported.pk}/change/", seen)
    assert "read it again" in page.content.decode()
    with pytest.raises(Conflict):
        judge(reported, "dismissed", by=dana, seen=NOW)
    reported.refresh_from_db()
    assert (reported.state, reported.reason) == ("open", "dangerous")


@pytest.mark.parametrize("role", ["finance", ""])
def test_staff_of_other_roles_and_readers_see_no_report(client, ana, reported, role):
    client.force_login(build.person(email="f@example.org", is_staff=True, role=role) if role else ana)
    for address in (ADMIN, f"{ADMIN}{reported.pk}/change/"):
        assert client.get(address).status_code in (302, 403)
        assert client.post(address, verdict_on(reported, "upheld")).status_code in (302, 403)
    reported.refresh_from_db()
    assert reported.state == "open"


def test_nothing_is_made_or_deleted_by_staff(client, dana, reported):
    client.force_login(dana)
    assert client.get(f"{ADMIN}add/").status_code == 403
    assert client.post(f"{ADMIN}{reported.pk}/delete/", {"post": "yes"}).status_code == 403
    assert ContentReport.objects.exists()


def test_a_report_outlives_its_conversation_and_goes_with_its_reporter(ana, sent, reported):
    conversations.delete(sent.conversation, now=NOW)
    reported.refresh_from_db()
    assert (reported.message, bool(reported.text)) == (None, True)
    exported = dict(Conversations().export(ana))
    assert exported["content_reports.json"][0]["note"] == "The sky is blue."
    Conversations().erase(ana, now=NOW)
    assert not ContentReport.objects.exists()
