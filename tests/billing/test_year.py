"""A year of subscriptions on test clocks: every bill to the cent, and after each month the plan and the revenue."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections

from tests.billing.year import Group, groups

MONTHS = 13  # one beyond the year: annual plans renew, and what was planned for then happens


def live(storm, count, *, threads):
    def one(numbered):
        try:
            Group(storm, *numbered).live(months=MONTHS)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(one, enumerate(groups(count))))


def test_a_year_of_eight_subscriptions(silence):
    live(silence, 8, threads=2)


@pytest.mark.long
def test_a_year_of_two_hundred_subscriptions(silence):
    live(silence, 200, threads=4)
