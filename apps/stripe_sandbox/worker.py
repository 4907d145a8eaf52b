"""What goes on by itself: letters are delivered, and due work is done for customers who live in real time."""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor

from django.db import connections, transaction

from apps.stripe_sandbox import advancing, clock, delivery, outgoing, renewals

logger = logging.getLogger(__name__)
IDLE_S = 0.25  # with letters that wait for their moment
TICK_S = 1.0
CARRIERS = 4


class Worker:
    """Two threads that end together."""

    def __init__(self, *, delivers: bool) -> None:
        self.ended = threading.Event()
        loops = [self._tick, self._deliver] if delivers else [self._tick]
        self.threads = [threading.Thread(target=loop, daemon=True) for loop in loops]

    def start(self) -> None:
        """Begin."""
        for thread in self.threads:
            thread.start()

    def stop(self) -> None:
        """End, after the work at hand."""
        self.ended.set()
        outgoing.awake.set()
        for thread in self.threads:
            thread.join(timeout=2)

    def _deliver(self) -> None:
        with delivery.open_client() as http, ThreadPoolExecutor(CARRIERS) as pool:
            while not self.ended.is_set():
                outgoing.awake.clear()
                try:
                    delivery.deliver_due(http, pool)
                    waits = delivery.is_waiting()
                except Exception:
                    logger.exception("A delivery failed")
                    waits = True
                finally:
                    connections.close_all()
                outgoing.awake.wait(IDLE_S if waits else 5)

    def _tick(self) -> None:
        while not self.ended.wait(TICK_S):
            try:
                self._do_due_work()
            except Exception:
                logger.exception("Due work failed")
            finally:
                connections.close_all()

    def _do_due_work(self) -> None:
        if advancing.is_lagging():
            advancing.settle()
        now = clock.now()
        moment = renewals.next_moment("")
        if moment and moment.at <= now:
            with transaction.atomic():
                renewals.run_until("", now)
