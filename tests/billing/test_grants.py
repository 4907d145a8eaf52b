"""Plans that staff give, and what follows from them."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import AuditEntry
from apps.billing import entitlements, grants
from apps.billing.errors import NotGrantable
from apps.billing.grants import Span
from apps.billing.models import BillingAccount, EntitlementSnapshot, PlanGrant
from tests import build, cast
from tests.build import NOW

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
MONTH = Span(NOW, NOW + 30 * DAY)


def give(account, plan="premium", span=MONTH, *, reason="an outage", by=None, now=NOW):
    return grants.give(account, plan, span, reason=reason, by=by, now=now)


def test_giving_a_plan_gives_access_and_leaves_an_entry(account):
    dana = cast.dana()
    grant = give(account, by=dana)
    snapshot = EntitlementSnapshot.objects.get()
    assert (snapshot.plan_version.plan_id, snapshot.source, snapshot.reason) == ("premium", "grant", "granted")
    assert (snapshot.valid_from, snapshot.valid_until) == (NOW, NOW + 30 * DAY)
    assert entitlements.plan_for(account, now=NOW).key == "premium"
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.subject, entry.reason) == (dana, "plan.grant", account.owner, "an outage")
    assert entry.details == {
        "grant": str(grant.pk),
        "plan": "premium",
        "starts_at": "2026-03-02T09:00:00+00:00",
        "ends_at": "2026-04-01T09:00:00+00:00",
    }


def test_a_plan_for_good_is_manual(account):
    give(account, span=Span(NOW))
    snapshot = EntitlementSnapshot.objects.get()
    assert (snapshot.source, snapshot.valid_until) == ("manual", None)


def test_a_plan_to_come_begins_by_itself(account):
    give(account, span=Span(NOW + DAY, NOW + 2 * DAY))
    assert entitlements.plan_for(account, now=NOW).key == "free"
    assert entitlements.plan_for(account, now=NOW + DAY).key == "premium"
    assert entitlements.plan_for(account, now=NOW + 2 * DAY).key == "free"


def test_taking_it_back_takes_access_and_leaves_an_entry(account):
    grant = give(account)
    assert grants.revoke(grant, reason="a mistake", by=None, now=NOW + DAY) is True
    assert PlanGrant.objects.get().revoked_at == NOW + DAY
    assert entitlements.plan_for(account, now=NOW + DAY).key == "free"
    assert list(AuditEntry.objects.order_by("pk").values_list("action", "reason")) == [
        ("plan.grant", "an outage"),
        ("plan.revoke", "a mistake"),
    ]


def test_taking_it_back_twice_says_nothing_new(account):
    grant = give(account)
    grants.revoke(grant, reason="a mistake", by=None, now=NOW + DAY)
    assert grants.revoke(grant, reason="a mistake", by=None, now=NOW + 2 * DAY) is False
    assert (EntitlementSnapshot.objects.count(), AuditEntry.objects.count()) == (2, 2)
    assert PlanGrant.objects.get().revoked_at == NOW + DAY


def test_what_is_over_cannot_be_taken_back(account):
    grant = give(account)
    assert grants.revoke(grant, reason="late", by=None, now=NOW + 31 * DAY) is False
    assert PlanGrant.objects.get().revoked_at is None


@pytest.mark.parametrize(
    ("plan", "span", "reason", "field", "said"),
    [
        ("gold", MONTH, "why", "plan", "Nobody can be given “gold”; it takes premium, premium_plus."),
        ("free", MONTH, "why", "plan", "Nobody can be given “free”; it takes premium, premium_plus."),
        ("guest", MONTH, "why", "plan", "Nobody can be given “guest”; it takes premium, premium_plus."),
        ("developer", MONTH, "why", "plan", "Nobody can be given “developer”; it takes premium, premium_plus."),
        ("premium", Span(NOW, NOW), "why", "ends_at", "A grant ends after it begins, and not in the past."),
        (
            "premium",
            Span(NOW - 2 * DAY, NOW - DAY),
            "why",
            "ends_at",
            "A grant ends after it begins, and not in the past.",
        ),
        ("premium", MONTH, "  ", "reason", "Please say why; the reason is kept in the audit log."),
    ],
)
def test_refuses_what_makes_no_sense(account, plan, span, reason, field, said):
    with pytest.raises(NotGrantable) as problem:
        give(account, plan, span, reason=reason)
    assert (problem.value.field, str(problem.value.sentence)) == (field, said)
    assert not PlanGrant.objects.exists()
    assert not EntitlementSnapshot.objects.exists()
    assert not AuditEntry.objects.exists()


def test_taking_back_needs_a_reason(account):
    grant = give(account)
    with pytest.raises(NotGrantable):
        grants.revoke(grant, reason=" ", by=None, now=NOW)
    assert PlanGrant.objects.get().revoked_at is None
    assert entitlements.plan_for(account, now=NOW).key == "premium"


def test_nothing_can_be_given_where_nothing_is_sold(account, settings, tmp_path):
    path = tmp_path / "internal.toml"
    path.write_text(settings.CATALOGUE_PATH.read_text().replace('mode = "freemium"', 'mode = "internal"', 1))
    settings.CATALOGUE_PATH = path
    with pytest.raises(NotGrantable, match="nothing: everybody has the same plan"):
        give(account)


def test_a_hold_counts_before_a_grant(account):
    BillingAccount.objects.filter(pk=account.pk).update(hold_reason="dispute")
    give(account)
    assert EntitlementSnapshot.objects.get().reason == "hold_dispute"
    assert entitlements.plan_for(account, now=NOW).key == "free"


def test_the_row_of_the_account_is_held_before_anything_is_decided(account):
    with CaptureQueriesContext(connection) as queries:
        grants.revoke(give(account), reason="a mistake", by=None, now=NOW)
    asked = [query["sql"] for query in queries if not query["sql"].startswith(("SAVEPOINT", "RELEASE"))]
    locks = [n for n, sql in enumerate(asked) if 'FROM "billing_billingaccount"' in sql and "FOR NO KEY UPDATE" in sql]
    decided = [n for n, sql in enumerate(asked) if 'FROM "billing_subscriptionmirror"' in sql]
    assert len(locks) == len(decided) == 2
    assert locks[0] == 0 < decided[0] < locks[1] < decided[1]


def test_mallory_gets_nothing_of_what_ana_is_given(account):
    give(account)
    mallory = build.account(owner=cast.mallory())
    assert entitlements.plan_for(mallory, now=NOW).key == "free"
