"""What staff do about differences, in the admin and by the worker that repairs."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from apps.accounts.models import AuditEntry
from apps.billing import entitlements, tasks
from apps.billing.models import DriftItem, StripeOutbox, SubscriptionMirror
from tests import build, cast
from tests.build import NOW
from tests.support import shop

pytestmark = pytest.mark.django_db
LIST = "/admin/billing/driftitem/"


def at(person):
    client = Client()
    client.force_login(person)
    return client


def helper(*codes):
    person = build.person(email="helper@example.org", is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename__in=codes))
    return person


def item(account=None, kind="status", **fields):
    facts = {"severity": "high", "ours": "active", "stripe": "canceled", "subject": "sub_1", **fields}
    return DriftItem.objects.create(kind=kind, account=account, first_seen=NOW, last_seen=NOW, **facts)


def page_of(one):
    return f"{LIST}{one.pk}/change/"


def test_the_list_says_how_many_and_how_old_and_begins_with_what_is_open(account):
    item(account), item(account, subject="sub_2"), item(account, subject="sub_closed", fixed_at=NOW)
    dana = at(cast.dana())
    assert dana.get(LIST).headers["Location"] == f"{LIST}?fixed_at__isempty=1"
    page = dana.get(LIST, follow=True).content.decode()
    assert 'href="?fixed_at__isempty=1&amp;kind__exact=status"' in page
    assert "sub_1" in page
    assert "sub_closed" not in page


def test_a_row_shows_both_sides_and_what_to_do(account):
    page = at(cast.dana()).get(page_of(item(account, ours="ours-active"))).content.decode()
    assert "ana@example.org" in page
    assert "Repairing reads the account anew from Stripe." in page
    assert page.index("ours-active") < page.index("At Stripe") < page.index("canceled")


def test_a_repair_is_done_by_a_worker_and_written_down(published, account):
    shop.buy(account)
    paid = SubscriptionMirror.objects.get()
    published.call("DELETE", f"/v1/subscriptions/{paid.pk}")
    one = item(account, subject=paid.pk)
    staff = helper("view_driftitem", "change_driftitem")
    answer = at(staff).post(page_of(one), {"repair": ""})
    assert (answer.status_code, answer.headers["Location"]) == (302, page_of(one))
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.subject) == (staff, "drift.repair", account.owner)
    assert tasks.repair.apply(args=[str(one.pk)]).successful()
    one.refresh_from_db()
    assert one.fixed_at is not None
    assert entitlements.plan_for(account, now=shop.now()).key == "free"
    assert tasks.repair.apply(args=[str(one.pk)]).successful()


def test_many_are_repaired_at_once(account):
    keys = [str(item(account, subject=f"sub_{number}").pk) for number in range(3)]
    fields = {"action": "repair", "_selected_action": keys}
    page = at(helper("view_driftitem", "change_driftitem")).post(LIST, fields, follow=True).content.decode()
    assert "A worker repairs 3 of them." in page
    assert AuditEntry.objects.filter(action="drift.repair").count() == 3


def test_what_stripe_refused_is_tried_again(account):
    row = StripeOutbox.objects.create(
        kind="cancel_subscription", key="k", account=account, state="dead", attempts=14, next_at=NOW, error="no"
    )
    one = item(account, kind="outbox_dead", subject=str(row.pk))
    at(cast.dana()).post(page_of(one), {"repair": ""})
    row.refresh_from_db()
    one.refresh_from_db()
    assert (row.state, row.attempts, row.error) == ("pending", 0, "")
    assert one.fixed_at is not None


def test_closing_needs_a_reason(account):
    one = item(account)
    dana = at(cast.dana())
    page = dana.post(page_of(one), {"close": "", "reason": " "}, follow=True).content.decode()
    assert "Please say why" in page
    one.refresh_from_db()
    assert (one.fixed_at, AuditEntry.objects.count()) == (None, 0)
    dana.post(page_of(one), {"close": "", "reason": "refunded by hand"})
    one.refresh_from_db()
    assert one.fixed_at is not None
    assert (AuditEntry.objects.get().action, AuditEntry.objects.get().reason) == ("drift.close", "refunded by hand")


def test_others_repair_nothing(account):
    one = item(account)
    looks, mallory = helper("view_driftitem"), cast.mallory()
    assert at(looks).get(page_of(one)).status_code == 200
    assert "Close without repair" not in at(looks).get(page_of(one)).content.decode()
    for words in ({"repair": ""}, {"close": "", "reason": "x"}):
        assert at(looks).post(page_of(one), words).status_code == 403
        assert at(mallory).post(page_of(one), words).status_code == 302
        assert Client().post(page_of(one), words).status_code == 302
    at(looks).post(LIST, {"action": "repair", "_selected_action": [str(one.pk)]})
    one.refresh_from_db()
    assert one.fixed_at is None
    assert not AuditEntry.objects.exists()
