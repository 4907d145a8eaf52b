"""A local Stripe with our catalogue, for the simulation."""

import pytest
from django.core.management import call_command

from apps.billing.models import Plan, PlanVersion, Price
from tests.support import shop
from tests.support.stripe import start_sandbox

SHELF = (Plan, PlanVersion, Price)


@pytest.fixture(scope="session")
def simulated_stripe(tmp_path_factory):
    server = start_sandbox(tmp_path_factory.mktemp("stripe"))
    server.shelf = None
    yield server
    server.stop()


@pytest.fixture
def local_system(transactional_db, simulated_stripe, settings):
    """What the simulation needs: tables that commit, and a local Stripe that sells our plans.

    The plans are published once; people of the tests before are removed as those of a killed run are.
    """
    settings.STRIPE_API_BASE, settings.STRIPE_SECRET_KEY = simulated_stripe.base, simulated_stripe.secret_key
    if simulated_stripe.shelf is None:
        call_command("catalogue", "apply", "--yes", stdout=shop.Quiet())
        simulated_stripe.shelf = [list(table.objects.all()) for table in SHELF]
    else:
        for table, rows in zip(SHELF, simulated_stripe.shelf, strict=True):
            table.objects.bulk_create(rows)
    yield simulated_stripe
    simulated_stripe.require_no_violations()
