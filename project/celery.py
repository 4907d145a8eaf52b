"""Celery: queues, routes and every schedule of the product."""

import os

from celery import Celery
from celery.schedules import crontab
from celery.signals import setup_logging
from kombu import Queue

from project import broker
from project.liveness import Liveness

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings.local")

broker.take_the_place_of_redis()
app = Celery("causerie")
app.conf.update(
    broker_connection_retry_on_startup=True,
    # Tasks may run twice, so they are acknowledged when done: a killed worker gives its tasks back.
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    task_default_queue="default",
    task_queues=[
        Queue(name, routing_key=name)
        for name in ("default", "billing", "reports", "runs.premium", "runs.free", "runs.batch")
    ],
    task_routes={
        "billing.*": {"queue": "billing"},
        "reporting.*": {"queue": "reports"},
    },
    beat_schedule={
        "inference.sweep": {"task": "inference.sweep", "schedule": 5.0, "options": {"expires": 5}},
        "inference.probe": {"task": "inference.probe", "schedule": 15.0, "options": {"expires": 15}},
        "inference.forget_trouble": {
            "task": "inference.forget_trouble",
            "schedule": crontab(hour=4, minute=20),
            "options": {"expires": 3600},
        },
        "usage.sweep": {"task": "usage.sweep", "schedule": 60.0, "options": {"expires": 60}},
        "billing.catch_up": {"task": "billing.catch_up", "schedule": 60.0, "options": {"expires": 60}},
        "billing.report_usage": {"task": "billing.report_usage", "schedule": 60.0, "options": {"expires": 60}},
        "billing.read_fees": {"task": "billing.read_fees", "schedule": 300.0, "options": {"expires": 300}},
        "billing.reconcile": {
            "task": "billing.reconcile",
            "schedule": crontab(hour=3, minute=10),
            "options": {"expires": 3600},
        },
        "usage.find_drift": {
            "task": "usage.find_drift",
            "schedule": crontab(hour=3, minute=40),
            "options": {"expires": 3600},
        },
        "reporting.fill_dirty_days": {
            "task": "reporting.fill_dirty_days",
            "schedule": 60.0,
            "options": {"expires": 60},
        },
        "reporting.send_weekly": {
            "task": "reporting.send_weekly",
            "schedule": crontab(minute=20),
            "options": {"expires": 3000},
        },
        "reporting.check_accuracy": {
            "task": "reporting.check_accuracy",
            "schedule": crontab(hour=4, minute=20),
            "options": {"expires": 3600},
        },
        "accounts.clear_sessions": {
            "task": "accounts.clear_sessions",
            "schedule": 86_400.0,
            "options": {"expires": 86_400},
        },
        "accounts.send_letters": {"task": "accounts.send_letters", "schedule": 60.0, "options": {"expires": 60}},
        "privacy.sweep": {"task": "privacy.sweep", "schedule": 60.0, "options": {"expires": 60}},
    },
)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.steps["worker"].add(Liveness)


@setup_logging.connect
def keep_logs(**_: object) -> None:
    """Leave logging as the settings made it; Celery would replace it."""
