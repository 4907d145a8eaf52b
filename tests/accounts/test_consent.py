from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction

from apps.accounts import consent
from apps.accounts.models import Consent
from tests import cast

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TRAINING = Consent.Kind.TRAINING
ADDRESS = "/settings/profile/training/"


def answer(person, *, given, version="2026-11", at=NOW):
    with transaction.atomic():
        return consent.record(person, TRAINING, given=given, version=version, now=at)


def test_silence_is_a_no():
    assert not consent.may_train(cast.ana())


def test_the_latest_answer_is_in_force_and_the_older_stays():
    ana = cast.ana()
    answer(ana, given=True)
    assert consent.may_train(ana)
    answer(ana, given=False, at=NOW + timedelta(days=1))
    assert not consent.may_train(ana)
    assert list(ana.consents.order_by("answered_at").values_list("is_given", flat=True)) == [True, False]


@pytest.mark.parametrize(
    ("country", "expected"), [("", False), ("FR", False), ("CH", False), ("GB", False), ("US", True)]
)
def test_in_europe_a_yes_counts_for_the_text_in_force_only(country, expected):
    ana = cast.ana(country=country)
    answer(ana, given=True, version="2025-01")
    assert consent.may_train(ana) is expected
    answer(ana, given=True, at=NOW + timedelta(days=1))
    assert consent.may_train(ana)


def test_moving_away_does_not_loosen_an_answer_given_in_europe():
    ana = cast.ana(country="DE")
    answer(ana, given=True, version="2025-01")
    ana.country = "US"
    assert not consent.may_train(ana)


@pytest.mark.django_db(transaction=True)
def test_an_answer_needs_an_act_around_it():
    ana = cast.ana()
    with pytest.raises(RuntimeError, match="needs the transaction"):
        consent.record(ana, TRAINING, given=True, version="2026-11", now=NOW)
    assert Consent.objects.count() == 0


def test_the_owner_says_yes_and_takes_it_back(client):
    ana = cast.ana()
    client.force_login(ana)
    client.post(ADDRESS, {"may_train": "on"})
    assert consent.may_train(ana)
    client.post(ADDRESS, {"may_train": "on"})
    assert ana.consents.count() == 1
    client.post(ADDRESS)
    assert not consent.may_train(ana)
    assert ana.consents.count() == 2


def test_nobody_answers_for_another(client):
    ana = cast.ana()
    assert client.post(ADDRESS, {"may_train": "on"}).url == f"/accounts/login/?next={ADDRESS}"
    client.force_login(cast.mallory())
    client.post(ADDRESS, {"may_train": "on", "user": str(ana.pk)})
    assert not consent.may_train(ana)


def test_asking_is_not_answering(client):
    client.force_login(cast.ana())
    assert client.get(ADDRESS).status_code == 405
    assert Consent.objects.count() == 0
