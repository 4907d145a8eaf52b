"""Jobs are sent by name: every name that is sent, stored or scheduled is a task that a worker knows."""

import ast
import re

import pytest
from celery.schedules import crontab

from project.celery import app
from tests.house import source

NAME = re.compile(rf"({'|'.join(source.APPS)})\.[a-z_]+")
DAY_S = 86_400
LOGGERS = ("log", "logger")
# OpenAI’s word for an answer; a file; what secrets are sealed for
NOT_JOBS = {"chat.completion", "staff.json", "accounts.second_factor", "inference.credentials"}
VERBS = "add|annotate|approve|block|change|delete|erase|find|impersonate|judge|money|note|role|run|view|watch"
PERMISSION = re.compile(rf"[a-z]+\.({VERBS})_[a-z]+")


@pytest.fixture(scope="module")
def registry():
    app.loader.import_default_modules()
    return {name: task for name, task in app.tasks.items() if not name.startswith("celery.")}


def words_of_logs(path):
    for node in ast.walk(source.tree_of(path)):
        is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if is_call and getattr(node.func.value, "id", "") in LOGGERS and node.args:
            yield node.args[0]


def is_other(word):
    return word in NOT_JOBS or PERMISSION.fullmatch(word)


def names_in(path):
    logged = {id(node) for node in words_of_logs(path)}
    for node in ast.walk(source.tree_of(path)):
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in logged
        if is_text and NAME.fullmatch(node.value) and not is_other(node.value):
            yield node.value


def product_modules():
    """All but the local Stripe: it sends no jobs, and Stripe's words look like their names (`billing.meter`)."""
    return [path for path in source.modules("apps") if "stripe_sandbox" not in path.parts]


def test_every_name_of_a_job_is_a_task(registry):
    sent = {(source.name_of(path), name) for path in product_modules() for name in names_in(path)}
    assert {(where, name) for where, name in sent if name not in registry} == set()
    assert {"chat.answer_message", "billing.sync_customer"} <= {name for _, name in sent}


def test_every_schedule_is_a_task(registry):
    assert {entry["task"] for entry in app.conf.beat_schedule.values()} - registry.keys() == set()


def test_a_task_lives_in_the_tasks_of_the_room_it_is_named_after(registry):
    assert {name: task.run.__module__ for name, task in registry.items()} == {
        name: f"apps.{name.split('.')[0]}.tasks" for name in registry
    }


def test_a_task_says_what_happens_late_twice_and_half_way(registry):
    words = ("Delivery", "Repeat", "Crash")
    silent = {name for name, task in registry.items() if not all(word in (task.run.__doc__ or "") for word in words)}
    assert silent == set()


def test_schedules_run_out_before_the_next_is_due(registry):
    """Beat goes on while no worker listens; a heap of the same nudge helps nobody."""
    for name, entry in app.conf.beat_schedule.items():
        every_s = DAY_S if isinstance(entry["schedule"], crontab) else entry["schedule"]
        assert 0 < entry["options"]["expires"] <= every_s, name
