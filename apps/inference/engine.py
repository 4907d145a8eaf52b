"""Makes answers: one event loop in each worker process holds all its calls, tasks hand their run over and wait."""

import asyncio
import atexit
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from uuid import UUID

import redis
import structlog
import uvloop
from django.db import DatabaseError

from apps.core import guards
from apps.inference import claims, continuing, gauges, relay, runs, settlement, steps
from apps.inference.answering import LOST, STOPPED, Answer
from apps.inference.claims import Claim, MakePrompt
from apps.inference.errors import LeaseLost
from apps.inference.fleet import Fleet
from apps.inference.models import Run
from apps.inference.publishing import Publisher
from apps.inference.settlement import Keep

log = structlog.get_logger(__name__)

STEP_THREADS = 8  # database connections this process uses at most
RENEW_S = 2.0  # a fifth of a lease: also how much text a lost worker may take with it
STOPS_KEPT = 1000
RECONNECT_S = 0.5
Clock = Callable[[], datetime]


def execute(run_id: UUID, *, prompt: MakePrompt, keep: Keep, clock: Clock) -> None:
    """Make one answer, from claim to settled, on this process's loop; return when it is over.

    prompt  called in the transaction that claims, with the plan in force: what to ask for this run.
    keep    called in the transaction that settles: store the answer where it belongs.
    Repeat  a run that is not waiting is left alone.
    """
    guards.outside_transaction()
    engine = this_process()
    asyncio.run_coroutine_threadsafe(engine.answer(run_id, prompt, keep, clock), engine.loop).result()


class Engine:
    """The loop, its thread, and what lives on it: the fleet, the publisher, the answers being made."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.loop = uvloop.new_event_loop()
        self.loop.set_default_executor(ThreadPoolExecutor(STEP_THREADS, thread_name_prefix="steps"))
        self._answers: dict[UUID, Answer] = {}
        self._stops: dict[UUID, None] = {}  # asked lately: a stop may arrive before its run is ours
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._open(), self.loop).result()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

    async def _open(self) -> None:
        self._fleet = Fleet()
        self._publisher = Publisher()
        self._chores = [asyncio.create_task(self._keep_leases()), asyncio.create_task(self._hear_stops())]

    def stop(self) -> None:
        """End the loop and give everything back; answers still being made are left to the sweeper."""
        asyncio.run_coroutine_threadsafe(self._close(), self.loop).result()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()

    async def _close(self) -> None:
        for chore in self._chores:
            await relay.end_listening(chore)
        await self._publisher.end()
        await self._fleet.close()
        await self.loop.shutdown_default_executor()

    async def answer(self, run_id: UUID, prompt: MakePrompt, keep: Keep, clock: Clock) -> None:
        """Claim, call, settle, announce."""
        structlog.contextvars.bind_contextvars(run_id=str(run_id))
        begun: Claim | Run | None = None
        try:
            begun = await steps.call(settlement.begin, run_id, prompt=prompt, keep=keep, now=clock())
            if isinstance(begun, Claim):
                await self._make(begun, keep, clock)
            elif begun is not None:
                gauges.refusals.labels(code=begun.error_code or begun.state).inc()
                log.info("run.not_begun", state=begun.state, code=begun.error_code)
                await self._announce_end(begun)
        except DatabaseError:
            raise  # the run stays as it is; the sweeper brings it back
        except Exception:
            log.exception("run.broke")
            token = begun.token if isinstance(begun, Claim) else None
            given_up = await steps.call(settlement.give_up, run_id, token, now=clock())
            if given_up is not None:
                await self._announce_end(given_up, after=relay.AFTER_ALL)

    async def _make(self, claim: Claim, keep: Keep, clock: Clock) -> None:
        run = claim.run
        run_log = self._publisher.open(run.pk, run.attempts)
        answer = Answer(claim, run_log, clock, begun=await continuing.recall(self._publisher, claim))
        self._answers[run.pk] = answer
        if run.pk in self._stops:
            self.loop.call_soon(answer.interrupt, STOPPED)
        try:
            with gauges.active.track_inprogress():
                ending = await answer.make(self._fleet)
            if answer.interruption == LOST:
                log.warning("run.lost")
                return
            ended, notices = await steps.call(settlement.finish, claim, ending, keep, now=clock())
            gauges.observe(ended)
            log.info("run.ended", state=ended.state, backend=ended.backend, output_tokens=ended.output_tokens)
            for notice in notices:
                run_log.emit(notice)
            run_log.emit(runs.last_words(ended))
        except LeaseLost:
            log.warning("run.lost")
        finally:
            del self._answers[run.pk]
            await self._publisher.close(run_log)

    async def _announce_end(self, run: Run, *, after: int = 0) -> None:
        run_log = self._publisher.open(run.pk, max(run.attempts, 1))
        run_log.number = after
        run_log.emit(runs.last_words(run))
        await self._publisher.close(run_log)

    async def _keep_leases(self) -> None:
        while True:
            await asyncio.sleep(RENEW_S)
            answers = dict(self._answers)
            if not answers:
                continue
            now = next(iter(answers.values())).clock()
            await self._fleet.keep_places()
            try:
                held = await steps.call(claims.renew, [a.checkpoint() for a in answers.values()], now=now)
            except DatabaseError as error:
                log.warning("lease.not_renewed", runs=len(answers), reason=type(error).__name__)
                continue
            for run_id, answer in answers.items():
                if run_id not in held:
                    answer.interrupt(LOST)
                elif held[run_id]:
                    answer.interrupt(STOPPED)

    async def _hear_stops(self) -> None:
        valkey = relay.connect_async(connections=1)
        try:
            while True:
                with suppress(redis.RedisError, OSError):
                    async with valkey.pubsub() as channel:
                        await channel.subscribe(relay.STOPS_CHANNEL)
                        async for message in channel.listen():
                            if message["type"] == "message":
                                self._stop(UUID(message["data"].decode()))
                await asyncio.sleep(RECONNECT_S)
        finally:
            await valkey.aclose()

    def _stop(self, run_id: UUID) -> None:
        self._stops[run_id] = None
        while len(self._stops) > STOPS_KEPT:
            del self._stops[next(iter(self._stops))]
        if run_id in self._answers:
            self._answers[run_id].interrupt(STOPPED)


_lock = threading.Lock()
_engine: Engine | None = None


def this_process() -> Engine:
    """The engine of this process, started at first use; a forked child gets its own."""
    global _engine  # noqa: PLW0603 one per process, by design
    with _lock:
        if _engine is None or _engine.pid != os.getpid():
            _engine = Engine()
            atexit.register(stop)
        return _engine


def stop() -> None:
    """End this process's engine, if it has one; the next run starts another."""
    global _engine
    with _lock:
        engine, _engine = _engine, None
    if engine is not None and engine.pid == os.getpid():
        atexit.unregister(stop)
        engine.stop()
