import pytest
from django.db import transaction

from apps.core import guards


@pytest.mark.django_db(transaction=True)
def test_a_step_needs_an_act():
    with pytest.raises(RuntimeError, match="needs the transaction of an act"):
        guards.inside_transaction()
    with transaction.atomic(durable=True):
        guards.inside_transaction()


@pytest.mark.django_db(transaction=True)
def test_the_network_waits_for_the_commit():
    guards.outside_transaction()
    with transaction.atomic(), pytest.raises(RuntimeError, match="No network inside a transaction"):
        guards.outside_transaction()
    guards.outside_transaction()


@pytest.mark.django_db
def test_the_transaction_around_a_test_does_not_count():
    guards.outside_transaction()
    with pytest.raises(RuntimeError, match="needs the transaction of an act"):
        guards.inside_transaction()
    with transaction.atomic(), pytest.raises(RuntimeError, match="No network inside a transaction"):
        guards.outside_transaction()
    with transaction.atomic(), transaction.atomic(), pytest.raises(RuntimeError):
        guards.outside_transaction()
    guards.outside_transaction()


@pytest.mark.django_db(transaction=True)
def test_a_rolled_back_act_is_over():
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        raise ZeroDivisionError
    guards.outside_transaction()
