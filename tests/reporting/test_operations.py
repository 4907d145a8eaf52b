"""Waits and failures of answers, and what trust is made of."""

from datetime import UTC, date, datetime, timedelta

import pytest

from apps.accounts import audit
from apps.accounts.models import Consent
from apps.privacy.models import DataRequest
from apps.reporting.days import Period
from apps.reporting.facts import read_facts
from apps.reporting.metrics.base import Slice
from apps.reporting.metrics.families import METRICS
from apps.reporting.scope import Scope
from tests import build, cast
from tests.reporting import history

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 6, 30, 12, 0, tzinfo=UTC)
DAY = date(2026, 6, 29)
ON = Period(DAY, DAY)
AT = datetime(2026, 6, 29, 9, 0, tzinfo=UTC)


def run(account, ms=None, wait_ms=5, state="succeeded", **fields):
    first = AT + timedelta(milliseconds=ms) if ms is not None else None
    return build.run(
        account=account, now=AT, state=state, started_at=AT + timedelta(milliseconds=wait_ms), first_token_at=first,
        ended_at=AT + timedelta(seconds=2), backend="local", **fields,
    )  # fmt: skip


def value(slug, family="operations", **only):
    history.filled(family, now=NOW)
    return read_facts(Scope(ON, NOW, "usd", only=only), [slug]).value(METRICS[slug], "", ON)


@pytest.fixture
def ana():
    return history.account(owner=cast.ana(), at=AT)


def test_waits_are_percentiles_of_the_days_answers(ana):
    for ms in range(100, 2100, 100):
        run(ana, ms, wait_ms=ms // 10)
    run(history.account(owner=cast.dana(), at=AT), 90_000, wait_ms=80_000)
    assert value("first_token_p50") == 1000
    assert value("first_token_p95") == 1900
    assert value("queue_wait_p95") == 190
    rows = METRICS["first_token_p95"].rows(Slice(ON)).page("", 50)
    assert (len(rows), rows[0].cells[-1]) == (20, 100)


def test_failures_are_counted_by_their_reason(ana):
    run(ana, 100)
    run(ana, state="failed", error_code="overloaded")
    run(ana, state="failed", error_code="answer_cut_off", attempts=2)
    assert (value("answers_over"), value("failed_answers"), value("taken_up_again")) == (3, 2, 1)
    assert value("failed_answers", reason="overloaded") == 1
    assert value("failed_answers", backend="elsewhere") == 0


def test_an_answer_counts_on_the_day_it_was_asked_for_once_it_is_over(ana):
    build.run(account=ana, now=AT, state="running")
    assert value("answers_over") == 0


def test_consents_and_looks_of_staff_are_counted_without_names(ana):
    for kind, is_given in (("terms", True), ("training", True), ("training", False)):
        Consent.objects.create(user=ana.owner, kind=kind, version="1", is_given=is_given, answered_at=AT)
    dana = cast.dana()
    audit.record(dana, "customer.look", subject=ana.owner, reason="asked for help", now=AT)
    audit.record(dana, "export.csv", now=AT)
    assert (value("consents_given", "trust"), value("consents_withdrawn", "trust")) == (2, 1)
    assert value("consents_given", "trust", reason="training") == 1
    assert (value("staff_looks", "trust"), value("staff_acts", "trust")) == (1, 2)
    rows = METRICS["staff_looks"].rows(Slice(ON)).page("", 5)
    assert rows[0].cells == (AT, "customer.look")


def test_consents_of_staff_and_of_the_other_mode_of_stripe_do_not_count(settings, ana):
    alive = build.person(email="alive@example.org")
    history.account(owner=alive, at=AT, livemode=True, stripe_customer_id="cus_1")
    alone = build.person(email="alone@example.org")  # has no account yet
    for person in (ana.owner, alive, alone, cast.dana(), build.person(email="in@example.org", is_internal=True)):
        Consent.objects.create(user=person, kind="terms", version="1", is_given=True, answered_at=AT)
        Consent.objects.create(user=person, kind="training", version="1", is_given=False, answered_at=AT)
    assert (value("consents_given", "trust"), value("consents_withdrawn", "trust")) == (2, 2)
    assert len(METRICS["consents_given"].rows(Slice(ON)).page("", 5)) == 2
    settings.STRIPE_SECRET_KEY = "sk_live_1"
    assert len(METRICS["consents_given"].rows(Slice(ON)).page("", 5)) == 3


def test_what_people_ask_of_their_data_is_counted_when_it_is_done(ana):
    for kind, state, done_at in (("export", "done", AT), ("export", "failed", None), ("erasure", "kept", None)):
        DataRequest.objects.create(user=ana.owner, kind=kind, state=state, asked_at=AT, next_at=AT, done_at=done_at)
    DataRequest.objects.create(kind="erasure", state="done", asked_at=AT, next_at=AT, done_at=AT)
    assert (value("data_exports", "trust"), value("erasures_asked", "trust"), value("erasures", "trust")) == (1, 2, 1)
