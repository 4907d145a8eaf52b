"""Migrations say what the models say, in one line without branches."""

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from tests.house.source import WITH_TABLES


@pytest.fixture
def graph(db):
    return MigrationLoader(connection).graph


def test_models_and_migrations_agree(db, capsys):
    call_command("makemigrations", "--check", "--dry-run")
    assert capsys.readouterr().out == "No changes detected\n"


@pytest.mark.parametrize("app", WITH_TABLES)
def test_each_migration_follows_one_other(graph, app):
    line = sorted(key for key in graph.nodes if key[0] == app)
    for before, migration in zip([None, *line], line, strict=False):
        parents = [node.key for node in graph.node_map[migration].parents if node.key[0] == app]
        assert parents == ([before] if before else []), migration


@pytest.mark.parametrize("app", WITH_TABLES)
def test_each_migration_has_a_number_and_a_name(graph, app):
    names = [name for label, name in sorted(graph.nodes) if label == app]
    assert [name[:5] for name in names] == [f"{number:04}_" for number in range(1, len(names) + 1)]
    assert not any("_auto_" in name for name in names)


def test_the_tests_run_on_a_database_made_by_them(graph):
    applied = MigrationLoader(connection).applied_migrations
    assert {key for key in graph.nodes if key[0] in WITH_TABLES} - applied.keys() == set()
