"""What a simulated person does in one go is one transaction, and nobody is nudged by it."""

import psycopg
import pytest
from django.conf import settings
from django.db import connection, transaction
from redis import Redis

from apps.accounts.models import User
from apps.core import jobs
from apps.localdev.simulation.stage import acts
from tests import cast

pytestmark = pytest.mark.django_db(transaction=True)


class CrashedHere(Exception): ...


def people_seen_from_outside():
    address = settings.DATABASE_URL.rpartition("/")[0] + f"/{connection.settings_dict['NAME']}"
    with psycopg.connect(address) as other:
        return other.execute("SELECT count(*) FROM accounts_user").fetchone()[0]


def join_and_nudge():
    with transaction.atomic(durable=True):
        cast.ana()
        jobs.enqueue("billing.send_outbox", queue="simulated")


def nudges():
    with Redis.from_url(settings.CELERY_BROKER_URL) as broker:
        return broker.llen("simulated")


def test_what_the_products_acts_did_is_seen_by_others_only_at_the_end():
    with acts.whole():
        join_and_nudge()
        assert people_seen_from_outside() == 0
    assert people_seen_from_outside() == 1
    assert transaction.get_autocommit()


def test_nobody_is_nudged_by_it_and_everybody_afterwards():
    with acts.whole():
        join_and_nudge()
    assert nudges() == 0
    with transaction.atomic(durable=True):
        jobs.enqueue("billing.send_outbox", queue="simulated")
    assert nudges() == 1
    with Redis.from_url(settings.CELERY_BROKER_URL) as broker:
        broker.delete("simulated")


def test_a_failure_leaves_nothing_of_it():
    def fail():
        with acts.whole():
            join_and_nudge()
            raise CrashedHere

    with pytest.raises(CrashedHere):
        fail()
    assert not User.objects.exists()
    assert transaction.get_autocommit()
    assert nudges() == 0
