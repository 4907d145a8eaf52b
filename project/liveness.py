"""A worker says every few seconds which queues it serves; readiness reads it. Silence means that it is gone."""

from contextlib import suppress
from functools import cache
from typing import Any

import redis
import structlog
from celery import bootsteps
from django.conf import settings

BEAT_S = 5.0
SILENCE_S = 20
PREFIX = "causerie:worker:"
SERVED = ("runs.premium", "runs.free", "default", "billing")  # without these queues the product does not work
log = structlog.get_logger(__name__)


class Liveness(bootsteps.StartStopStep):
    """A step in a worker's start: from then on it tells Valkey that it lives, and takes it back when it ends."""

    requires = ("celery.worker.components:Timer",)

    def __init__(self, worker: Any, **options: Any) -> None:  # noqa: ANN401 celery's own signature
        super().__init__(worker, **options)
        self._queues: list[str] = []
        self._beat: Any = None  # celery's timer entry has no type

    def start(self, worker: Any) -> None:  # noqa: ANN401 celery's own signature
        self._queues = list(worker.app.amqp.queues.consume_from)
        self._say()
        self._beat = worker.timer.call_repeatedly(BEAT_S, self._say, priority=10)

    def stop(self, _worker: Any) -> None:  # noqa: ANN401 celery's own signature
        if self._beat is not None:
            self._beat.cancel()
        with suppress(redis.RedisError):  # it forgets by itself
            valkey().delete(*(f"{PREFIX}{queue}" for queue in self._queues))

    def _say(self) -> None:
        try:
            with valkey().pipeline(transaction=False) as pipe:
                for queue in self._queues:
                    pipe.set(f"{PREFIX}{queue}", "1", ex=SILENCE_S)
                pipe.execute()
        except redis.RedisError as error:
            log.warning("worker.not_heard", reason=type(error).__name__)


def silent_queues() -> list[str]:
    """Queues that no worker has served lately.

    Raises  redis.RedisError: Valkey does not answer.
    """
    said = valkey().mget([f"{PREFIX}{queue}" for queue in SERVED])
    return [queue for queue, word in zip(SERVED, said, strict=True) if word is None]


@cache
def valkey() -> redis.Redis:
    """One client for each process."""
    return redis.Redis.from_url(settings.VALKEY_URL, socket_timeout=2, socket_connect_timeout=2)
