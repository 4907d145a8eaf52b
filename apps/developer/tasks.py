"""Jobs of the API."""

from uuid import UUID

from celery import shared_task

from apps.core import clock
from apps.developer import completions
from apps.inference import engine


@shared_task(name="developer.complete_request")
def complete_request(run_id: str) -> None:
    """Answer one call of the API.

    Delivery  at least once, on the queue of the account's plan; a sweeper sends it again when it was lost.
    Repeat    the engine claims the run: who comes second does nothing.
    Crash     the lease runs out, another worker goes on.
    """
    engine.execute(UUID(run_id), prompt=completions.prompt_of, keep=completions.forget, clock=clock.now)
