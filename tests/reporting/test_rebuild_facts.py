from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from apps.reporting.models import FillState, MetricDay
from tests.reporting import history
from tests.reporting.history import DAY_1

pytestmark = pytest.mark.django_db
RANGE = ("--since", "2026-03-01", "--until", "2026-03-02")


def run(*arguments):
    out = StringIO()
    call_command("rebuild_facts", *arguments, stdout=out)
    return out.getvalue().splitlines()


def test_shows_each_day_and_fills_it():
    history.small_business()
    assert run(*RANGE, "--family", "usage") == [
        "usage 2026-03-02 (1/2): 8 facts",
        "usage 2026-03-01 (2/2): 4 facts",
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
        CommandError, match="revenue 2026-03-02: mrr premium month usd – new – – – – –: stored 1, computed 8000000"
    ):
        run(*RANGE, "--check")
    assert MetricDay.objects.get(metric="mrr", day=DAY_1).value == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--since", "yesterday"), "“yesterday” is not a day"),
        (("--since", "2026-03-02", "--until", "2026-03-01"), "--since must not be after --until"),
        (("--family", "horoscope"), "invalid choice"),
    ],
)
def test_refuses_nonsense(arguments, says):
    with pytest.raises(CommandError, match=says):
        run(*arguments)
    assert not FillState.objects.exists()
