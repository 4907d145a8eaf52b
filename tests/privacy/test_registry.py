from importlib import import_module
from importlib.util import find_spec

from django.apps import apps

from apps.privacy.registry import STORES


def test_every_app_that_keeps_personal_data_is_listed():
    keepers = {
        config.name
        for config in apps.get_app_configs()
        if config.name.startswith("apps.") and find_spec(f"{config.name}.personal_data") is not None
    }
    assert keepers == {type(store).__module__.removesuffix(".personal_data") for store in STORES}


def test_each_store_has_its_own_slug_and_a_title():
    assert len({store.slug for store in STORES}) == len(STORES)
    assert all(str(store.title) for store in STORES)


def test_who_points_at_whom_decides_the_order():
    assert type(STORES[-1]) is import_module("apps.accounts.personal_data").PersonalData
