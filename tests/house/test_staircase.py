"""Imports go down the stairs: the linter holds that. Foreign keys, too, point only downwards."""

import tomllib

from django.apps import apps

from tests.house import source


def ours(model):
    return model.__module__.startswith("apps.")


def test_foreign_keys_point_down_the_stairs_or_stay_in_the_room():
    upward = []
    for model in filter(ours, apps.get_models()):
        for field in model._meta.get_fields():
            target = field.related_model if field.many_to_one or field.one_to_one or field.many_to_many else None
            if target is None or field.auto_created or not ours(target):
                continue
            own, other = model._meta.app_label, target._meta.app_label
            if own != other and source.step_of(other) >= source.step_of(own):
                upward.append(f"{model._meta.label}.{field.name} -> {target._meta.label}")
    assert upward == []


def test_every_room_has_a_step():
    for app in source.APPS:
        assert app == "stripe_sandbox" or source.step_of(app) >= 0


def test_the_linter_knows_the_same_stairs():
    config = tomllib.loads((source.ROOT / "pyproject.toml").read_text())
    (layers,) = [
        contract["layers"] for contract in config["tool"]["importlinter"]["contracts"] if contract.get("exhaustive")
    ]
    stairs = [sorted(set(layer.split(" | ")) - {"stripe_sandbox"}) for layer in reversed(layers)]
    assert stairs == [sorted(rooms.split()) for rooms in source.STAIRS]


def test_a_room_of_tables_is_installed_under_its_own_name():
    labels = {config.name: config.label for config in apps.get_app_configs() if config.name.startswith("apps.")}
    assert labels == {f"apps.{name}": name for name in source.APPS if name != "stripe_sandbox"}
