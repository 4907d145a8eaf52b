"""Cash and failed payments, from mirrored rows; ids are those of metrics.md's vectors."""

from datetime import UTC, date, datetime, timedelta

import pytest

from apps.billing import fees, stripe_gateway
from apps.billing.models import DisputeMirror, PaymentMirror, RefundMirror
from apps.reporting import days
from apps.reporting.days import ONE_DAY, Period
from apps.reporting.facts import Facts, read_facts
from apps.reporting.metrics.base import Slice
from apps.reporting.metrics.families import METRICS
from apps.reporting.models import AccountMonth, MetricDay
from apps.reporting.scope import Scope
from apps.reporting.sheets.payments import DisputesPanel, FailingPanel, PayoutsPanel
from tests import build, cast
from tests.reporting import history
from tests.support import shop

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 7, 10, 12, 0, tzinfo=UTC)
JUNE = Period(date(2026, 6, 1), date(2026, 6, 30))
CENT = 10_000


def at(month, day):
    return datetime(2026, month, day, 9, 0, tzinfo=UTC)


def figures(period=JUNE):
    history.filled("cash", now=NOW)
    return read_facts(Scope(period, NOW, "usd"), [slug for slug in METRICS if METRICS[slug].has_currency])


def value(slug, period=JUNE, currency="usd"):
    return figures(period).value(METRICS[slug], currency, period)


@pytest.fixture
def ben():
    return history.account(owner=cast.ben(), at=at(5, 1))


def failed(account, cents, *, on, paid=None, status=None, reason="subscription_cycle"):
    return history.invoice(
        account=account, start=on, at=paid or on, total_minor=cents, first_failed_at=on, paid_at=paid,
        status=status or ("paid" if paid else "open"), billing_reason=reason, attempt_count=2,
    )  # fmt: skip


def test_c24_what_failed_in_june_and_what_of_it_was_paid_after_all(ben):
    failed(ben, 8_00, on=at(6, 2), paid=at(7, 3))
    failed(ben, 8_00, on=at(6, 9))
    failed(ben, 40_00, on=at(6, 20), paid=at(6, 25))
    failed(ben, 99_00, on=at(6, 21), reason="subscription_create")
    assert value("failed_renewals") == 56_00 * CENT
    assert value("recovered_renewals") == 48_00 * CENT
    assert value("payment_recovery") == 857_143
    assert value("at_risk", Period(date(2026, 7, 1), date(2026, 7, 9))) == 8_00 * CENT


def test_what_is_at_risk_leaves_when_it_is_paid_or_given_up(ben):
    failed(ben, 8_00, on=at(6, 2), paid=at(6, 9))
    failed(ben, 40_00, on=at(6, 5), status="uncollectible")
    found = figures(Period(date(2026, 6, 1), date(2026, 6, 12))).by_day("at_risk", "usd")
    assert [day.day for day, micro in sorted(found.items()) if micro] == [2, 3, 4, 5, 6, 7, 8]
    assert set(found.values()) == {8_00 * CENT}


@pytest.mark.parametrize("status", ["uncollectible", "void", "paid"])
def test_what_was_at_risk_stays_so_on_the_days_before_it_was_given_up(ben, status):
    invoice = failed(ben, 8_00, on=at(6, 2))
    june = Period(date(2026, 6, 1), date(2026, 6, 12))
    before = figures(june).by_day("at_risk", "usd")
    invoice.status, invoice.given_up_at, invoice.synced_at = status, at(6, 9), NOW + timedelta(minutes=3)
    invoice.paid_at = at(6, 11) if status == "paid" else None  # some pay what nobody hoped for
    invoice.save(update_fields=["status", "given_up_at", "synced_at", "paid_at"])
    history.filled("cash", now=NOW + timedelta(minutes=5))
    after = read_facts(Scope(june, NOW, "usd"), ["at_risk"]).by_day("at_risk", "usd")
    assert after == {day: micro for day, micro in before.items() if day.day < 9}
    assert [day.day for day in sorted(after)] == [2, 3, 4, 5, 6, 7, 8]
    rows = METRICS["at_risk"].rows(Slice(Period(date(2026, 6, 1), date(2026, 6, 8)))).page("", 9)
    assert [row.cells[2] for row in rows] == [invoice.pk]


def money_moves(ben):
    common = {"account": ben, "currency": "usd", "synced_at": NOW}
    for number, (status, cents) in enumerate((("succeeded", 8_00), ("succeeded", 20_00), ("failed", 40_00))):
        PaymentMirror.objects.create(
            stripe_payment_intent_id=f"pi_{number}", status=status, amount_minor=cents, created=at(6, 3), **common
        )
    RefundMirror.objects.create(
        stripe_refund_id="re_1", amount_minor=8_00, status="succeeded", reason="duplicate", created=at(6, 4), **common
    )
    for key, status in (
        ("du_1", "lost"),
        ("du_2", "won"),
        ("du_3", "warning_needs_response"),
        ("du_4", "needs_response"),
    ):
        DisputeMirror.objects.create(
            stripe_dispute_id=key, amount_minor=3_00, status=status, created=at(6, 5),
            evidence_due_by=at(7, 20), **common,
        )  # fmt: skip


def test_c16_cash_is_what_came_less_what_went_back(ben):
    money_moves(ben)
    assert (value("charged"), value("refunded"), value("disputed")) == (28_00 * CENT, 8_00 * CENT, 6_00 * CENT)
    assert value("net_cash") == 14_00 * CENT
    assert value("charged", currency="eur") == 0


def test_each_figure_opens_the_rows_that_add_up_to_it(ben):
    money_moves(ben)
    failed(ben, 8_00, on=at(6, 2))
    found = figures()
    for slug in ("charged", "refunded", "disputed", "failed_renewals", "at_risk"):
        rows = METRICS[slug].rows(Slice(JUNE, {"currency": "usd"})).page("", 50)
        assert sum(row.cells[-1] for row in rows) == found.value(METRICS[slug], "usd", JUNE), slug
        assert METRICS[slug].rows(Slice(JUNE, {"currency": "eur"})).page("", 50) == []


def test_a_payment_that_fails_now_and_a_dispute_to_answer_are_named(ben):
    money_moves(ben)
    invoice = failed(ben, 8_00, on=at(6, 2))
    failed(ben, 8_00, on=at(6, 2), paid=at(6, 3))
    scope = Scope(JUNE, NOW, "usd")
    (line,) = FailingPanel().read(scope, Facts({})).lines
    assert line.cells[1:] == (invoice.pk, at(6, 2), 2, "usd", 8_00 * CENT)
    assert line.opens["account"] == f"/admin/customers/?q={ben.pk}"
    assert [line.cells[1] for line in DisputesPanel().read(scope, Facts({})).lines] == ["du_3", "du_4"]


def test_a_renewal_that_is_paid_late_restates_the_days_since_it_failed(ben):
    invoice = failed(ben, 8_00, on=at(6, 2))
    assert value("recovered_renewals") == 0
    invoice.status, invoice.paid_at, invoice.synced_at = "paid", NOW, NOW + timedelta(minutes=3)
    invoice.save(update_fields=["status", "paid_at", "synced_at"])
    history.filled("cash", now=NOW + timedelta(minutes=5))
    found = read_facts(Scope(JUNE, NOW, "usd"), ["recovered_renewals"])
    assert found.value(METRICS["recovered_renewals"], "usd", JUNE) == 8_00 * CENT


def test_staff_are_in_no_figure():
    money_moves(history.account(owner=cast.dana(), at=at(5, 1)))
    failed(build.account(owner=build.person(email="in@example.org", is_internal=True)), 8_00, on=at(6, 2))
    assert [value(slug) for slug in ("charged", "refunded", "disputed", "failed_renewals")] == [0, 0, 0, 0]


def test_fees_are_taken_from_what_came_and_the_rest_is_expected_on_its_day(ben):
    money_moves(ben)
    PaymentMirror.objects.filter(pk="pi_0").update(fee_minor=53, fee_currency="usd", available_on=at(7, 12))
    PaymentMirror.objects.filter(pk="pi_1").update(fee_minor=88, fee_currency="usd", available_on=at(7, 9))
    assert value("payment_fees") == 1_41 * CENT
    assert value("net_cash") == (28_00 - 8_00 - 6_00 - 1_41) * CENT
    [line] = PayoutsPanel().read(Scope(JUNE, NOW, "usd"), Facts({})).lines
    assert line.cells == (date(2026, 7, 12), 1, "usd", 8_00 * CENT, 53 * CENT, 7_47 * CENT)


def coming(account, *, available, currency="usd", cents=8_00, paid_in=None, status="succeeded"):
    PaymentMirror.objects.create(
        stripe_payment_intent_id=f"pi_{PaymentMirror.objects.count()}", account=account, status=status,
        amount_minor=cents, currency=currency, fee_minor=53, fee_currency=paid_in or currency, available_on=available,
        created=at(7, 3), synced_at=NOW,
    )  # fmt: skip


def payouts(now=NOW):
    return [line.cells[:4] for line in PayoutsPanel().read(Scope(JUNE, now, "usd"), Facts({})).lines]


def test_payouts_are_expected_from_the_first_moment_of_today_on(ben, settings):
    settings.REPORTING_TIMEZONE = "Europe/Berlin"
    midnight = datetime(2026, 7, 9, 22, 0, tzinfo=UTC)  # of 10 July there
    for moment in (midnight - timedelta(seconds=1), midnight, midnight + timedelta(hours=23)):
        coming(ben, available=moment)
    today = (date(2026, 7, 10), 2, "usd", 16_00 * CENT)
    assert payouts() == [today]
    assert payouts(midnight - timedelta(seconds=1)) == [(date(2026, 7, 9), 1, "usd", 8_00 * CENT), today]
    assert payouts(midnight + timedelta(hours=24)) == []


def test_payouts_of_two_currencies_are_two_lines_and_those_that_are_changed_are_none(ben):
    coming(ben, available=at(7, 12), cents=7_00, currency="eur")
    coming(ben, available=at(7, 12))
    coming(ben, available=at(7, 12), cents=9_00, currency="eur", paid_in="usd")
    coming(ben, available=at(7, 12), status="failed")
    day = date(2026, 7, 12)
    assert payouts() == [(day, 1, "eur", 7_00 * CENT), (day, 1, "usd", 8_00 * CENT)]


def test_payments_of_staff_and_of_the_other_mode_are_no_payout():
    coming(history.account(owner=cast.dana(), at=at(5, 1)), available=at(7, 12))
    alive = build.person(email="alive@example.org")
    coming(history.account(owner=alive, livemode=True, stripe_customer_id="cus_1"), available=at(7, 12))
    assert payouts() == []


def test_a_fee_that_is_known_after_its_day_was_filled_restates_the_day_and_its_month(published):
    payer = build.account(owner=build.person(email="payer@example.org"))
    shop.buy(payer)
    paid, later = shop.now(), shop.now() + ONE_DAY
    history.filled("cash", "accounts", now=later)
    facts = MetricDay.objects.filter(metric="payment_fees", day=days.day_of(paid))
    months = AccountMonth.objects.filter(account=payer).values_list("fees_micro", flat=True)
    assert (list(facts), sum(months.all())) == ([], 0)
    read_at = later + timedelta(hours=2)
    assert fees.read_due(stripe_gateway.background(), at_most=9, clock=lambda: read_at) == 1
    history.filled("cash", "accounts", now=read_at + timedelta(minutes=1))
    assert [fact.value for fact in facts.all()] == [53 * CENT]
    assert sum(months.all()) == 53 * CENT
