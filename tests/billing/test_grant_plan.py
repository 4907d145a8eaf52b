"""`manage.py grant_plan`: a plan given and taken back at the command line."""

from datetime import UTC, datetime

import pytest
from django.core.management import CommandError, call_command

from apps.accounts.models import AuditEntry
from apps.billing.models import PlanGrant
from tests.support import shop

pytestmark = pytest.mark.django_db


def run(*words):
    said = shop.Quiet()
    call_command("grant_plan", *words, "--reason", "an outage", stdout=said)
    return said.getvalue().strip()


def test_gives_a_plan_through_the_end_of_a_day(account):
    said = run("ana@example.org", "premium", "--from", "2026-01-01", "--until", "2126-12-31")
    assert said == "Given. ana@example.org is on the premium plan now."
    grant = PlanGrant.objects.get()
    assert (grant.account, grant.plan_id, grant.granted_by) == (account, "premium", None)
    assert (grant.starts_at, grant.ends_at) == (datetime(2026, 1, 1, tzinfo=UTC), datetime(2127, 1, 1, tzinfo=UTC))
    assert AuditEntry.objects.get().reason == "an outage"


def test_gives_a_plan_for_good_and_takes_it_back(account):
    run("ana@example.org", "premium")
    assert PlanGrant.objects.get().ends_at is None
    said = run("ana@example.org", "premium", "--revoke")
    assert said == "1 taken back. ana@example.org is on the free plan now."
    assert run("ana@example.org", "premium", "--revoke").startswith("There was nothing to take back.")
    assert PlanGrant.objects.count() == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nobody@example.org", "premium"], "Nobody has the address nobody@example.org."),
        (["ana@example.org", "gold"], "Nobody can be given “gold”; it takes premium, premium_plus."),
        (["ana@example.org", "premium", "--until", "soon"], "soon is not a day; write it like 2026-12-31."),
        (["ana@example.org", "premium", "--until", "2026-13-01"], "2026-13-01 is not a day; write it like 2026-12-31."),
        (["ana@example.org", "premium", "--until", "2020-01-01"], "A grant ends after it begins, and not in the past."),
    ],
)
def test_says_what_is_wrong_and_gives_nothing(account, words, said):
    with pytest.raises(CommandError) as problem:
        run(*words)
    assert str(problem.value) == said
    assert not PlanGrant.objects.exists()
