"""apps/billing/model_prices.py: what a model cost at one time stays written."""

import threading
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from django.db import IntegrityError, connection, connections, transaction

from apps.billing import model_prices
from apps.billing.models import ModelPrice
from tests import build, cast

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
OLD = {"name": "M", "currency": "usd", "cost": {"input": 1, "output": 2}, "price": {"usd": {"input": 3, "output": 4}}}
NEW = {**OLD, "cost": {"input": 1, "output": 3}}


def publish(stated, *, now=NOW):
    return build.act(model_prices.publish, "m", stated, now=now)


def ensure(stated, *, now=NOW):
    return build.act(model_prices.ensure, "m", stated, now=now)


@pytest.mark.django_db
def test_the_same_rates_are_written_once():
    assert publish(OLD).pk == publish({**OLD, "name": "Other"}, now=LATER).pk == ensure(OLD, now=LATER).pk
    row = ModelPrice.objects.get()
    assert (row.model, row.version, row.effective_from) == ("m", 1, NOW)
    assert row.rates == {name: OLD[name] for name in ("currency", "cost", "price")}


@pytest.mark.django_db
def test_other_rates_are_the_next_version_also_when_they_were_before():
    assert [publish(stated).version for stated in (OLD, NEW, OLD)] == [1, 2, 3]
    assert ensure(OLD).version == 3
    assert ensure(NEW).version == 2  # a process that still runs with the older catalogue


@pytest.mark.django_db
def test_rates_that_nobody_published_are_written_when_they_are_used():
    publish(OLD)
    assert (ensure(NEW, now=LATER).version, ensure(NEW).version) == (2, 2)
    assert not model_prices.is_newest("m", OLD)
    assert model_prices.is_newest("m", NEW)


@pytest.mark.django_db
def test_finding_them_again_is_one_read(django_assert_num_queries):
    publish(OLD)
    with transaction.atomic(), django_assert_num_queries(1):
        model_prices.ensure("m", OLD, now=LATER)


@pytest.mark.django_db
@pytest.mark.parametrize("sql", ["UPDATE billing_modelprice SET rates = '{}'", "DELETE FROM billing_modelprice"])
def test_a_version_cannot_be_changed(sql):
    publish(OLD)
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
    assert ModelPrice.objects.get().rates["cost"] == OLD["cost"]


@pytest.mark.django_db
def test_staff_look_at_them_and_nobody_else_does(client):
    publish(OLD)
    page = "/admin/billing/modelprice/"
    assert client.get(page).status_code == 302
    client.force_login(cast.mallory())
    assert client.get(page).status_code == 302
    client.force_login(cast.dana())
    assert "'output': 4" in unescape(client.get(page).content.decode()).replace('"', "'")
    assert client.get(f"{page}add/").status_code == 403


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_time", range(8))
def test_of_many_who_use_new_rates_first_one_writes_them(_time):
    found, ready = [], threading.Barrier(6)

    def use(stated):
        ready.wait()
        found.append((stated["cost"]["output"], ensure(stated).version))
        connections.close_all()

    threads = [threading.Thread(target=use, args=(stated,)) for stated in (OLD, NEW) * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert sorted({version for _output, version in found}) == [1, 2]
    assert len(set(found)) == 2
