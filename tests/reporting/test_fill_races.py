from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from apps.reporting import fill
from apps.reporting.metrics.families import FAMILIES
from apps.reporting.models import MetricDay
from tests.reporting import history
from tests.reporting.history import DAY_2, NOW

WORKERS = 4


@pytest.mark.django_db(transaction=True)
def test_workers_and_readers_that_fill_the_same_day_leave_its_facts_once():
    history.small_business()
    together = Barrier(WORKERS)

    def fill_it():
        try:
            together.wait(timeout=10)
            return fill.fill_day(FAMILIES["usage"], DAY_2, now=NOW)
        finally:
            connection.close()

    with ThreadPoolExecutor(WORKERS) as threads:
        counts = [one.result() for one in [threads.submit(fill_it) for _ in range(WORKERS)]]
    assert counts == [8] * WORKERS
    assert MetricDay.objects.filter(day=DAY_2).count() == 8
