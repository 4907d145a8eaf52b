"""A worker without a process: what waits in the queues is done here, in the order in which it was asked."""

from celery import current_app
from kombu.simple import SimpleQueue

QUEUES = ("billing", "default")
PATIENCE = 200


def work():
    """Do the jobs that wait, and those that they ask for, until none is left; the names of what was done."""
    done = []
    with current_app.connection_for_read() as connection:
        queues = [SimpleQueue(connection, name) for name in QUEUES]
        while (message := _next(queues)) is not None:
            arguments, _named, _embedded = message.payload
            message.ack()
            done.append(message.headers["task"])
            assert len(done) < PATIENCE, f"jobs keep asking for jobs: {done[-5:]}"
            current_app.tasks[done[-1]].apply(args=arguments, throw=True)
        for queue in queues:
            queue.close()
    return done


def lose():
    """Lose the jobs that wait, as a broker does that is restarted; how many there were."""
    lost = 0
    with current_app.connection_for_read() as connection:
        for name in QUEUES:
            queue = SimpleQueue(connection, name)
            lost += queue.clear()
            queue.close()
    return lost


def _next(queues):
    for queue in queues:
        try:
            return queue.get_nowait()
        except queue.Empty:
            continue
    return None
