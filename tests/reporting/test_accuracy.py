"""Whether the reports say what Stripe says: with the local Stripe, over HTTP."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from apps.accounts.models import AuditEntry
from apps.billing import stripe_gateway
from apps.billing.errors import PaymentsAway
from apps.billing.models import DriftItem, PaymentMirror, SubscriptionMirror
from apps.reporting import accuracy, days, fill
from apps.reporting.days import ONE_DAY
from apps.reporting.models import AccuracyCheck, MetricDay
from tests import build, cast
from tests.reporting import history
from tests.support import shop

DOLLAR = 1_000_000


def results(name):
    rows = AccuracyCheck.objects.filter(name=name).order_by("currency")
    return {row.currency: (row.ours, row.theirs) for row in rows}


def say(dollars, **fields):
    """A state of the one subscription that only we know of."""
    mirror = SubscriptionMirror.objects.get()
    build.subscription_state(subscription=mirror, mrr_micro=dollars * DOLLAR, at=shop.now(), **fields)


def check(at):
    return accuracy.check_all(stripe_gateway.background(), now=at)


@pytest.fixture
def later():
    """The reports look the day after, when all of today is yesterday."""
    return shop.now() + ONE_DAY


@pytest.fixture
def payer(published):
    account = build.account(owner=build.person(email="payer@example.org"))
    shop.buy(account)
    return account


def test_nothing_differs_after_a_purchase(payer, later):
    fill.fill_dirty_days(now=later, at_most=500)
    assert check(later) == 0
    assert results("mrr") == {"usd": (8 * DOLLAR, 8 * DOLLAR)}
    assert results("charged") == {"usd": (8 * DOLLAR, 8 * DOLLAR)}
    assert results("bridge") == {"usd": (8 * DOLLAR, 8 * DOLLAR)}
    assert results("facts") == {"": (0, 0)}
    assert not DriftItem.objects.exists()


def test_an_mrr_that_stripe_does_not_know_is_a_difference_until_it_is_gone(payer, later):
    say(9)
    assert check(later) == 1
    assert results("mrr") == {"usd": (9 * DOLLAR, 8 * DOLLAR)}
    item = DriftItem.objects.get(kind="report_mrr")
    assert (item.ours, item.stripe, item.severity, item.fixed_at) == ("9000000", "8000000", "high", None)
    say(8)
    assert check(later + timedelta(hours=1)) == 0
    item.refresh_from_db()
    assert item.fixed_at is not None


def test_what_has_just_changed_is_not_judged(payer, later):
    say(9, observed_at=later - timedelta(minutes=1))
    check(later)
    assert results("mrr") == {}


def test_a_charge_that_we_do_not_have_is_a_difference(payer, later):
    PaymentMirror.objects.all().delete()
    check(later)
    assert results("charged") == {"usd": (0, 8 * DOLLAR)}


def test_a_refund_that_we_do_not_have_is_a_difference(published, payer, later):
    payment = PaymentMirror.objects.get()
    assert published.call("POST", "/v1/refunds", {"payment_intent": payment.pk}).status_code == 200
    check(later)
    assert results("refunded") == {"usd": (0, 8 * DOLLAR)}
    shop.look(payer)
    check(later)
    assert results("refunded") == {"usd": (8 * DOLLAR, 8 * DOLLAR)}


def test_staff_are_left_out_at_both_ends(published, later):
    account = build.account(owner=cast.dana())
    shop.buy(account)
    assert check(later) == 0
    assert results("mrr") == results("charged") == {}


def test_a_fact_that_its_rows_do_not_say_is_found(payer, later):
    fill.fill_dirty_days(now=later, at_most=500)
    MetricDay.objects.filter(metric="mrr", day=days.day_of(shop.now())).update(value=7)
    assert check(later) == 2
    assert results("facts") == {"": (1, 0)}
    assert results("bridge") == {"usd": (7, 8 * DOLLAR)}


def test_facts_that_wait_are_not_judged(payer, later):
    assert check(later) == 0
    assert results("revenue") == results("bridge") == {}


def test_revenue_that_no_invoice_explains_is_found(payer, later):
    fill.fill_dirty_days(now=later, at_most=500)
    MetricDay.objects.filter(metric="recognised_revenue").update(value=1)
    check(later)
    ((ours, theirs),) = results("revenue").values()
    assert ours == 1 != theirs


def test_what_stripe_does_not_answer_keeps_its_last_result(payer, later, monkeypatch):
    check(later)

    def away(*_arguments):
        raise PaymentsAway

    monkeypatch.setattr(stripe_gateway.Gateway, "list_subscriptions", away)
    SubscriptionMirror.objects.update(mrr_micro=0)
    check(later + timedelta(hours=1))
    row = AccuracyCheck.objects.get(name="mrr")
    assert (row.ours, row.checked_at) == (8 * DOLLAR, later)
    assert AccuracyCheck.objects.get(name="facts").checked_at == later + timedelta(hours=1)


def test_the_page_lists_what_differs_and_lets_staff_compare(
    client, db, monkeypatch, django_capture_on_commit_callbacks
):
    asked = []
    monkeypatch.setattr("apps.core.jobs.current_app.send_task", lambda job, **_: asked.append(job))
    dana = cast.dana()
    client.force_login(dana)
    page = client.get("/admin/reports/accuracy/").content.decode()
    assert "Nothing has been compared yet" in page
    ben = history.account(owner=cast.ben())
    moments = {"first_seen": build.NOW, "last_seen": build.NOW}
    DriftItem.objects.create(
        kind="status", subject="sub_9", severity="high", account=ben, ours="active", stripe="gone", **moments
    )
    AccuracyCheck.objects.create(name="mrr", currency="usd", ours=1, theirs=2, checked_at=build.NOW)
    page = client.get("/admin/reports/accuracy/").content.decode()
    assert "1 figure differs" in page
    assert "1 difference to Stripe is open" in page
    assert "−USD 0.000001" in page
    assert str(ben.pk) in page
    with django_capture_on_commit_callbacks(execute=True):
        assert client.post("/admin/reports/accuracy/check/").status_code == 302
    assert asked == ["reporting.check_accuracy"]
    assert AuditEntry.objects.get().action == "reports.check"


def test_the_command_says_what_was_found_and_fails_while_anything_differs(payer, monkeypatch):
    out = StringIO()
    call_command("check_accuracy", stdout=out)
    assert "facts –: agrees" in out.getvalue()
    monkeypatch.setattr(accuracy, "CHECKS", [check for check in accuracy.CHECKS if check.name == "facts"])
    AccuracyCheck.objects.create(name="mrr", currency="usd", ours=1, theirs=2, checked_at=build.NOW)
    with pytest.raises(CommandError, match="1 figures differ"):
        call_command("check_accuracy", stdout=out)
