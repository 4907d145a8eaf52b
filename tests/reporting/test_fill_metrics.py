from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from apps.reporting.models import FillState, MetricDay
from tests.reporting import history
from tests.reporting.history import DAY_1

pytestmark = pytest.mark.django_db
RANGE = ("--from", "2026-03-01", "--to", "2026-03-02")


def run(*arguments):
    out = StringIO()
    call_command("fill_metrics", *arguments, stdout=out)
    return out.getvalue().splitlines()


def test_shows_each_day_and_fills_it():
    history.small_business()
    assert run(*RANGE, "--family", "usage") == [
        "usage 2026-03-01 (1/2): 4 facts",
        "usage 2026-03-02 (2/2): 8 facts",
    ]
    assert MetricDay.objects.exclude(metric__in=["answers", "messages", "input_tokens", "output_tokens"]).count() == 0


def test_check_agrees_after_a_fill_and_writes_nothing():
    history.small_business()
    run(*RANGE)
    states = list(FillState.objects.order_by("pk").values())
    assert all(line.endswith("agrees") for line in run(*RANGE, "--check"))
    assert list(FillState.objects.order_by("pk").values()) == states


def test_check_names_the_first_differing_day_and_key_and_fails():
    history.small_business()
    run(*RANGE)
    MetricDay.objects.filter(metric="mrr").update(value=1)
    with pytest.raises(
        CommandError, match="revenue 2026-03-01: mrr premium month usd – new – – – – –: stored 1, computed 8000000"
    ):
        run(*RANGE, "--check")
    assert MetricDay.objects.get(metric="mrr", day=DAY_1).value == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--from", "yesterday"), "“yesterday” is not a day"),
        (("--from", "2026-03-02", "--to", "2026-03-01"), "--from must not be after --to"),
        (("--family", "horoscope"), "invalid choice"),
    ],
)
def test_refuses_nonsense(arguments, says):
    with pytest.raises(CommandError, match=says):
        run(*arguments)
    assert not FillState.objects.exists()
