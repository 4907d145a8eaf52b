"""apps/accounts/devices.py: a browser is known by a key that it keeps."""

from datetime import timedelta

import pytest

from apps.accounts import devices
from apps.accounts.models import Device
from tests import build, cast

pytestmark = pytest.mark.django_db
NOW = build.NOW


def test_the_first_browser_is_no_news():
    known = devices.recognise(cast.ana(), None, now=NOW)
    assert known.is_news is False
    assert len(known.key) == 32


def test_a_browser_that_comes_back_is_no_news():
    ana = cast.ana()
    key = devices.recognise(ana, None, now=NOW).key
    assert devices.recognise(ana, key, now=NOW + timedelta(days=1)) == (key, False)
    assert list(Device.objects.values_list("last_seen_at", flat=True)) == [NOW + timedelta(days=1)]


@pytest.mark.parametrize("key", [None, "", "made up"])
def test_another_browser_is_news(key):
    ana = cast.ana()
    devices.recognise(ana, None, now=NOW)
    known = devices.recognise(ana, key, now=NOW)
    assert known.is_news is True
    assert known.key != key


def test_a_key_of_another_person_is_worth_nothing():
    ana, mallory = cast.ana(), cast.mallory()
    key = devices.recognise(mallory, None, now=NOW).key
    devices.recognise(ana, None, now=NOW)
    assert devices.recognise(ana, key, now=NOW).is_news is True


def test_the_key_itself_is_not_kept():
    key = devices.recognise(cast.ana(), None, now=NOW).key
    assert key not in str(list(Device.objects.values()))


def test_who_did_not_come_back_for_long_is_forgotten():
    devices.recognise(cast.ana(), None, now=NOW)
    assert devices.forget_old(now=NOW + devices.FORGOTTEN_AFTER) == 0
    assert devices.forget_old(now=NOW + devices.FORGOTTEN_AFTER + timedelta(seconds=1)) == 1
