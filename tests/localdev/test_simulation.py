"""A small company's life through the real rules, with the local Stripe."""

import pytest
from django.core.management import call_command
from django.db.models import F, Q

from apps.billing.models import BillingAccount, CheckoutAttempt, StripeOutbox, SubscriptionMirror
from apps.chat.models import Message
from apps.inference.models import Run
from apps.localdev.simulation import summary
from apps.reporting.models import MetricDay
from apps.usage.models import UsageBucket, UsageLedger, UsageReservation
from tests.localdev.conftest import SHELF
from tests.localdev.simulated import NOW, SMALL, course, left_behind, said
from tests.support.shop import Quiet

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("simulation")]


def check_that_everything_begun_is_over(played):
    assert not Run.objects.unfinished().exists()
    assert not UsageReservation.objects.filter(state="open").exists()
    assert not UsageBucket.objects.exclude(reserved=0).exists()
    assert not CheckoutAttempt.objects.filter(state="open").exists()
    assert not BillingAccount.objects.all().in_need_of_sync().exists()
    assert not StripeOutbox.objects.exclude(state="done").exists()
    settled = UsageLedger.objects.filter(kind="settle").values("run_id")
    assert not Run.objects.filter(refusal=None).exclude(pk__in=settled).exists()
    assert not Run.objects.filter(Q(created_at__gt=NOW) | Q(ended_at__lt=F("created_at"))).exists()

    # What people see: everybody has their answers, in conversations of their own.
    assert set(Run.objects.values_list("state", flat=True)) >= {"succeeded", "stopped"}
    assert Message.objects.filter(run__state="succeeded", text="").count() == 0
    assert Message.objects.filter(run__isnull=False).count() == Run.objects.filter(channel="chat").count()

    # The funnel: somebody met a limit, bought a plan, and was answered on it; no window holds more than its limit.
    assert SubscriptionMirror.objects.filter(status__in=("active", "canceled")).exists()
    assert UsageLedger.objects.filter(plan_key__startswith="premium").exists()
    assert not UsageBucket.objects.filter(limit_value__lt=F("settled")).exists()
    assert UsageBucket.objects.filter(limit_value=20, settled=20).exists()

    # What it says at the end is what the reports say.
    found = summary.read(SMALL)
    assert (found.accounts, found.paying) == (12, SubscriptionMirror.objects.live().count())
    assert ["Answers", f"{found.answers:,}"] in [line.split() for line in said(played).splitlines()]
    assert sum(MetricDay.objects.filter(metric="answers").values_list("value", flat=True)) == found.answers


def test_a_company_is_played_once_whole_and_with_two_workers_and_a_stop_the_same(local_system, tmp_path):
    """One test, since each play takes most of a minute."""
    one = course(tmp_path)
    assert one.run(now=NOW)
    check_that_everything_begun_is_over(one)
    whole = left_behind()

    again = course(tmp_path)  # finished, it does nothing more
    assert again.run(now=NOW)
    assert "This simulation is finished; nothing was done." in said(again)
    assert left_behind() == whole

    call_command("flush", interactive=False, stdout=Quiet())
    for table, rows in zip(SHELF, local_system.shelf, strict=True):
        table.objects.bulk_create(rows)
    two = course(tmp_path / "two", workers=2)
    two._stops = True  # as if Ctrl-C came at once
    assert not two.run(now=NOW)
    assert "Stopped on day " in said(two)
    two._stops = False
    assert two.run(now=NOW)
    assert left_behind()["rows"] == whole["rows"]
    assert left_behind() == whole
