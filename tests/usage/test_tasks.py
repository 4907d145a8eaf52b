from datetime import timedelta
from uuid import UUID

import pytest

from apps.billing.meters import Meter
from apps.core import clock
from apps.usage import ledger, tasks
from apps.usage.limits import Demand
from apps.usage.models import UsageBucket
from tests import build

pytestmark = pytest.mark.django_db


def test_the_sweep_gives_back_what_is_over():
    long_ago = clock.now() - timedelta(hours=1)
    demand = Demand(build.plan(), "chat-small", {Meter.MESSAGES: 1})
    build.act(ledger.reserve, build.account(), UUID(int=1), demand, timeout_s=60, now=long_ago)
    tasks.sweep_usage()
    tasks.sweep_usage()
    assert set(UsageBucket.objects.values_list("reserved", flat=True)) == {0}
