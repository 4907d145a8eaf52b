"""Jobs of conversations."""

from uuid import UUID

from celery import shared_task

from apps.chat import prompting, replies
from apps.core import clock
from apps.inference import engine


@shared_task(name="chat.answer_message")
def answer_message(run_id: str) -> None:
    """Make the answer of one message.

    Delivery  at least once, on the queue of the person's plan; late means that the person waits and sees their place.
    Repeat    the engine claims the run: who comes second does nothing.
    Crash     the lease runs out, another worker begins anew; charged once.
    """
    engine.execute(UUID(run_id), prompt=prompting.prompt_for, keep=replies.keep, clock=clock.now)
